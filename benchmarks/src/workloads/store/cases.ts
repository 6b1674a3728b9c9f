import { missingFacilities } from "@strata/conformance/suite";
import type { ImageSpec } from "../../dataset/image.ts";
import { imagePeers } from "../../peers/image-peers.ts";
import type { Case, Parameters, Scale, Scope, Subject } from "../../workload.ts";

type Compression = ImageSpec["compression"];

/** What differs between scales. */
interface Size {
  readonly files: number;
  readonly bytes: number;
  readonly loads: readonly { readonly compression: Compression; readonly durable: boolean }[];
  readonly images: number;
  readonly rounds: number;
  /** About how long a load takes, of the fast and the slow. */
  readonly loadSeconds: number;
}

const everyLoad = (["none", "gzip", "zstd"] as const).flatMap((compression) => [
  { compression, durable: false },
  { compression, durable: true },
]);

const sizes: Readonly<Record<Scale, Size>> = {
  quick: {
    files: 1_000,
    bytes: 12e6,
    loads: [
      { compression: "none", durable: false },
      { compression: "gzip", durable: true },
    ],
    images: 20,
    rounds: 2,
    loadSeconds: 0.5,
  },
  standard: {
    files: 20_000,
    bytes: 260e6,
    loads: everyLoad.filter(({ compression }) => compression !== "zstd"),
    images: 200,
    rounds: 3,
    loadSeconds: 3,
  },
  full: { files: 80_000, bytes: 1040e6, loads: everyLoad, images: 200, rounds: 5, loadSeconds: 12 },
};

const words: Readonly<Record<Compression, string>> = {
  none: "an archive with plain layers",
  gzip: "gzip layers",
  zstd: "zstd layers",
};

/** As in images that are built on a distribution: its files, packages, an application, and what was changed last. */
export function imageSpec(scale: Scale, compression: Compression): ImageSpec {
  const { files, bytes } = sizes[scale];
  const layer = (shape: "small" | "large" | "mixed", filesShare: number, bytesShare: number) => ({
    shape,
    files: Math.round(files * filesShare),
    bytes: Math.round(bytes * bytesShare),
    compressible: true,
  });
  return {
    layers: [
      layer("mixed", 0.1, 0.2),
      layer("mixed", 0.22, 0.45),
      layer("small", 0.65, 0.3),
      layer("mixed", 0.03, 0.05),
    ],
    compression,
  };
}

export function storeCases(scope: Scope): Case[] {
  const size = sizes[scope.scale];
  const image: Parameters =
    scope.archive === undefined ? { files: size.files, bytes: size.bytes } : { archive: true };
  const common = { threads: 1, iterations: 1, rounds: size.rounds, warmup: true, settle: true };
  const drivers = scope.subjects.filter(({ kind }) => kind === "driver");
  const withPeersThat = (can: (peer: Subject) => boolean) => [
    ...drivers,
    ...scope.subjects.filter((subject) => subject.kind === "peer" && can(subject)),
  ];
  const canDo = (what: "save" | "images" | "remove") =>
    withPeersThat(({ id }) => imagePeers.get(id)?.can.includes(what) ?? false);

  const canMake = (compression: Compression) =>
    compression !== "zstd" || missingFacilities(["zstd"]).length === 0;
  const madeLoads = size.loads.filter(({ compression }) => canMake(compression));
  const loads = madeLoads.map(({ compression, durable }) => ({
    ...common,
    title: `load ${words[compression]}${durable ? ", durable" : ""}`,
    parameters: { does: "load", compression, durable, ...image },
    subjects: withPeersThat(({ id }) => reads(id, compression)),
    turnSeconds: size.loadSeconds,
  }));
  const maintain = {
    ...common,
    title: "maintain a store with one image",
    parameters: { does: "maintain", ...image },
    subjects: drivers,
    turnSeconds: size.loadSeconds,
  };
  return [
    ...loads,
    {
      ...common,
      title: "save an image",
      parameters: { does: "save", ...image },
      subjects: canDo("save"),
      turnSeconds: size.loadSeconds / 2,
    },
    {
      ...common,
      title: `list ${size.images} images`,
      parameters: { does: "list", images: size.images },
      subjects: [...canDo("images"), ...scope.subjects.filter(({ id }) => id === "node")],
      iterations: 3,
      settle: false,
      turnSeconds: 0.5,
    },
    {
      ...common,
      title: "remove an image",
      parameters: { does: "remove", ...image },
      subjects: canDo("remove"),
      turnSeconds: size.loadSeconds * 1.5,
    },
    ...(scope.scale === "quick" ? [] : [maintain]),
  ];
}

/** An archive with plain layers is what umoci does not read. */
function reads(peer: string, compression: Compression): boolean {
  const kind = imagePeers.get(peer);
  if (kind === undefined) return false;
  return compression === "none" ? kind.reads.includes("archive") : kind.compressions.includes(compression);
}
