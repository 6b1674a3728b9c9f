import {
  blobPushingPeers,
  compressingPeers,
  pullingPeers,
  type RegistryPeers,
} from "../../peers/registry-peers.ts";
import type { Case, Scope, Subject } from "../../workload.ts";
import { imageParameters, imageSizes } from "../whole-image.ts";

export function registryCases(scope: Scope): Case[] {
  const { rounds, loadSeconds } = imageSizes[scope.scale];
  const image = imageParameters(scope);
  const common = { threads: 1, iterations: 1, rounds, warmup: true, settle: true };
  const drivers = scope.subjects.filter(({ kind }) => kind === "driver");
  const those = (takes: (peer: Subject) => boolean) =>
    scope.subjects.filter((subject) => subject.kind === "peer" && takes(subject));
  const of = (peers: RegistryPeers) => those(({ id }) => peers.has(id));

  const pulls = (scope.scale === "quick" ? [true] : [false, true]).map((durable) => ({
    ...common,
    title: `pull an image${durable ? ", durable" : ""}`,
    parameters: { does: "pull", durable, ...image },
    subjects: [...drivers, ...of(pullingPeers)],
    turnSeconds: loadSeconds,
  }));
  const push = (compresses: boolean, peers: readonly Subject[]) => ({
    ...common,
    title: `push an image, ${compresses ? "peers compress it anew" : "all as it was pulled"}`,
    parameters: { does: "push", compresses, ...image },
    subjects: [...drivers, ...peers],
    turnSeconds: compresses ? loadSeconds : loadSeconds / 4,
  });
  const compressing = of(compressingPeers);
  return [
    ...pulls,
    {
      ...common,
      title: "pull an unchanged image again",
      parameters: { does: "pull again", ...image },
      subjects: [...drivers, ...of(pullingPeers), ...those(({ id }) => id === "node")],
      iterations: scope.scale === "quick" ? 2 : 3,
      settle: false,
      turnSeconds: 0.5,
    },
    push(false, of(blobPushingPeers)),
    // Strata does the same in both: without peers, one is enough.
    ...(compressing.length === 0 ? [] : [push(true, compressing)]),
  ];
}
