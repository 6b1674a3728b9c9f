import { missingFacilities } from "@strata/conformance/suite";
import { mountHolding } from "@strata/linux";
import { run } from "../peers/command.ts";
import type { PeerSubject } from "../workload.ts";
import type { Place } from "./drivers.ts";

/** A tool of the host that does what Strata does, or part of it. */
interface Peer {
  readonly id: string;
  /** What it needs here: its programs, `root`. */
  readonly needs: readonly string[];
  /** Tells its version. */
  readonly version: readonly [program: string, argument: string];
}

function peer(id: string, ...needs: readonly string[]): Peer {
  return { id, needs: needs.length === 0 ? [id] : needs, version: [needs[0] ?? id, "--version"] };
}

const peers: readonly Peer[] = [
  peer("podman", "podman", "root"),
  peer("skopeo", "skopeo", "root"),
  peer("umoci", "umoci", "root"),
  peer("docker", "dockerd", "docker", "containerd", "ctr", "root"),
  peer("containerd", "containerd", "ctr", "root"),
  peer("tar"),
  peer("cp"),
  peer("find"),
  peer("sha256sum"),
  { id: "openssl", needs: ["openssl"], version: ["openssl", "version"] },
  // A C program of this package, built when it is needed.
  { id: "calibration", needs: ["cc"], version: ["cc", "--version"] },
  // What a command of Strata's cannot be faster than.
  { id: "node", needs: [], version: [process.execPath, "--version"] },
];

export interface FoundPeers {
  readonly subjects: readonly PeerSubject[];
  readonly missing: readonly { readonly id: string; readonly reason: string }[];
}

/** See which tools the host has. */
export async function findPeers({ directory, loop }: Place): Promise<FoundPeers> {
  const fileSystem = mountHolding(directory)?.fstype ?? "unknown";
  const subjects: PeerSubject[] = [];
  const missing: { id: string; reason: string }[] = [];
  for (const { id, needs, version } of peers) {
    const [absent] = missingFacilities(needs);
    if (absent !== undefined) {
      missing.push({ id, reason: absent === "root" ? "needs root" : `${absent} is not installed` });
      continue;
    }
    const [program, argument] = version;
    try {
      const { stdout } = await run(program, [argument]);
      subjects.push({ kind: "peer", id, version: versionIn(stdout), directory, fileSystem, loop });
    } catch (error) {
      missing.push({ id, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { subjects, missing };
}

/** `4.3.1` of `podman version 4.3.1`, or `tar (GNU tar) 1.34`. */
function versionIn(text: string): string {
  return /\d+(?:\.\w+)+(?:[-+~]\w+)*/.exec(text)?.[0] ?? "unknown";
}
