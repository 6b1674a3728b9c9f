import { missingFacilities } from "@strata/conformance/suite";
import { mountHolding } from "@strata/linux";
import { run } from "../peers/command.ts";
import type { PeerSubject } from "../workload.ts";
import type { Place } from "./drivers.ts";

/** A tool of the host that does what Strata does, or part of it. */
interface Peer {
  readonly id: string;
  /** Programs that it takes. The first one tells its version. */
  readonly programs: readonly string[];
  readonly versionArguments: readonly string[];
}

const peers: readonly Peer[] = [
  { id: "podman", programs: ["podman"], versionArguments: ["--version"] },
  { id: "skopeo", programs: ["skopeo"], versionArguments: ["--version"] },
  { id: "umoci", programs: ["umoci"], versionArguments: ["--version"] },
  { id: "docker", programs: ["docker", "dockerd"], versionArguments: ["--version"] },
  { id: "containerd", programs: ["containerd", "ctr"], versionArguments: ["--version"] },
  { id: "tar", programs: ["tar"], versionArguments: ["--version"] },
  { id: "cp", programs: ["cp"], versionArguments: ["--version"] },
  { id: "find", programs: ["find"], versionArguments: ["--version"] },
  { id: "sha256sum", programs: ["sha256sum"], versionArguments: ["--version"] },
  { id: "openssl", programs: ["openssl"], versionArguments: ["version"] },
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
  for (const { id, programs, versionArguments } of peers) {
    const [absent] = missingFacilities(programs);
    const [program = id] = programs;
    if (absent !== undefined) missing.push({ id, reason: `${absent} is not installed` });
    else {
      const version = versionIn((await run(program, versionArguments)).stdout);
      subjects.push({ kind: "peer", id, version, directory, fileSystem, loop });
    }
  }
  return { subjects, missing };
}

/** `4.3.1` of `podman version 4.3.1`, or `tar (GNU tar) 1.34`. */
function versionIn(text: string): string {
  return /\d+(?:\.\w+)+(?:[-+~]\w+)*/.exec(text)?.[0] ?? "unknown";
}
