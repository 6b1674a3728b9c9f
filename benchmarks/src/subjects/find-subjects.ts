import { type FileSystemType, LoopFileSystem, missingFacilities } from "@strata/conformance/suite";
import { mountHolding } from "@strata/linux";
import type { Resources } from "../resources.ts";
import type { MeasuredSubject, Results } from "../results/schema.ts";
import type { Subject } from "../workload.ts";
import { type DriverModule, driverOnLoop, findDriver, type Place } from "./drivers.ts";
import { findPeers } from "./peers.ts";

export interface SubjectOptions {
  readonly drivers: readonly DriverModule[];
  /** An absolute real path. */
  readonly directory: string;
  /** Also on these file systems, made in files in `directory`, if it is not on one itself. */
  readonly loop: readonly FileSystemType[];
  readonly peers: boolean;
}

export interface FoundSubjects {
  readonly subjects: readonly Subject[];
  /** The same, as results have them. */
  readonly about: MeasuredSubject[];
  readonly missing: Results["missing"];
}

/** Sparse: they take what is written. */
const loopBytes = 24 * 2 ** 30;

/**
 * What can be measured on this host, and what cannot, and why.
 * @param resources - is given the file systems that are made
 */
export async function findSubjects(
  { drivers, directory, loop, peers }: SubjectOptions,
  resources: Resources,
): Promise<FoundSubjects> {
  const found: FoundSubjects & { subjects: Subject[] } = { subjects: [], about: [], missing: [] };
  const take = (subject: Subject, version: string, lacks: readonly string[]) => {
    const { id, kind, fileSystem: type, loop } = subject;
    found.subjects.push(subject);
    found.about.push({
      id,
      kind,
      version,
      fileSystem: { type, directory: subject.directory, loop },
      lacks: [...lacks],
    });
  };
  const takeDrivers = async (place: Place) => {
    for (const driver of drivers) {
      const result = await findDriver(driver, place);
      if ("subject" in result) take(result.subject, result.version, result.lacks);
      else found.missing.push({ id: result.id, kind: "driver", reason: result.reason });
    }
  };

  const main: Place = { directory, loop: false };
  await takeDrivers(main);
  for (const type of loop) {
    if (mountHolding(directory)?.fstype === type) continue;
    const place = await loopPlace(type, directory, resources);
    if ("directory" in place) await takeDrivers(place);
    else {
      const missing = drivers.map(({ name }) => ({ id: driverOnLoop(name, type), ...place }));
      found.missing.push(...missing.map((each) => ({ ...each, kind: "driver" as const })));
    }
  }
  if (peers) {
    const { subjects, missing } = await findPeers(main);
    for (const peer of subjects) take(peer, peer.version, []);
    found.missing.push(...missing.map((each) => ({ ...each, kind: "peer" as const })));
  }
  return found;
}

async function loopPlace(
  type: FileSystemType,
  directory: string,
  resources: Resources,
): Promise<Place | { readonly reason: string }> {
  const missing = missingFacilities(["root", `mkfs.${type}`]);
  if (missing.length > 0) return { reason: `a file system in a file takes ${missing.join(" and ")}` };
  try {
    const made = resources.use(await LoopFileSystem.make(type, { directory, sizeBytes: loopBytes }));
    return { directory: made.path, loop: true };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}
