import { missingFacilities } from "@strata/conformance/suite";
import type { ImageSpec } from "../../dataset/image.ts";
import { imagePeers } from "../../peers/image-peers.ts";
import type { Case, Scale, Scope, Subject } from "../../workload.ts";
import { imageParameters, imageSizes } from "../whole-image.ts";

type Compression = ImageSpec["compression"];

/** What differs between scales, besides the image. */
interface Extent {
  readonly loads: readonly { readonly compression: Compression; readonly durable: boolean }[];
  readonly images: number;
}

const everyLoad = (["none", "gzip", "zstd"] as const).flatMap((compression) => [
  { compression, durable: false },
  { compression, durable: true },
]);

const extents: Readonly<Record<Scale, Extent>> = {
  quick: {
    loads: [
      { compression: "none", durable: false },
      { compression: "gzip", durable: true },
    ],
    images: 20,
  },
  standard: { loads: everyLoad.filter(({ compression }) => compression !== "zstd"), images: 200 },
  full: { loads: everyLoad, images: 200 },
};

const words: Readonly<Record<Compression, string>> = {
  none: "an archive with plain layers",
  gzip: "gzip layers",
  zstd: "zstd layers",
};

export function storeCases(scope: Scope): Case[] {
  const { rounds, loadSeconds } = imageSizes[scope.scale];
  const extent = extents[scope.scale];
  const image = imageParameters(scope);
  const common = { threads: 1, iterations: 1, rounds, warmup: true, settle: true };
  const drivers = scope.subjects.filter(({ kind }) => kind === "driver");
  const withPeersThat = (can: (peer: Subject) => boolean) => [
    ...drivers,
    ...scope.subjects.filter((subject) => subject.kind === "peer" && can(subject)),
  ];
  const canDo = (what: "save" | "images" | "remove") =>
    withPeersThat(({ id }) => imagePeers.get(id)?.can.includes(what) ?? false);

  const canMake = (compression: Compression) =>
    compression !== "zstd" || missingFacilities(["zstd"]).length === 0;
  const madeLoads = extent.loads.filter(({ compression }) => canMake(compression));
  const loads = madeLoads.map(({ compression, durable }) => ({
    ...common,
    title: `load ${words[compression]}${durable ? ", durable" : ""}`,
    parameters: { does: "load", compression, durable, ...image },
    subjects: withPeersThat(({ id }) => reads(id, compression)),
    turnSeconds: loadSeconds,
  }));
  const maintain = {
    ...common,
    title: "maintain a store with one image",
    parameters: { does: "maintain", ...image },
    subjects: drivers,
    turnSeconds: loadSeconds,
  };
  return [
    ...loads,
    {
      ...common,
      title: "save an image",
      parameters: { does: "save", ...image },
      subjects: canDo("save"),
      turnSeconds: loadSeconds / 2,
    },
    {
      ...common,
      title: `list ${extent.images} images`,
      parameters: { does: "list", images: extent.images },
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
      turnSeconds: loadSeconds * 1.5,
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
