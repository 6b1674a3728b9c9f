import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { missingFacilities } from "@strata/conformance/suite";
import { z } from "zod";
import type { ImageSpec } from "../../dataset/image.ts";
import type { TreeSpec } from "../../dataset/tree.ts";
import type { Case, Scale, Scope, Subject } from "../../workload.ts";

const made = z.object({
  shape: z.enum(["small", "large", "mixed", "image"]),
  compressible: z.boolean(),
  /** Regular files of all layers together. */
  files: z.number(),
  /** Of these files. */
  bytes: z.number(),
  layers: z.number(),
});

const work = z.object({
  compression: z.enum(["none", "gzip", "zstd"]),
  /** How many layers are applied at the same time, at most. */
  threads: z.number(),
  durable: z.boolean(),
});

/** What tells the cases of this workload from each other. */
export const applyParameters = z.union([made.extend(work.shape), work]);

type Made = z.infer<typeof made>;
type Work = z.infer<typeof work>;
export type ApplyParameters = z.infer<typeof applyParameters>;

const plain: Work = { compression: "none", threads: 1, durable: false };
const gzip: Work = { ...plain, compression: "gzip" };
const zstd: Work = { ...plain, compression: "zstd" };

/** Of one layer; many thin ones have as much together as a mixed one. */
const sizes: Readonly<Record<Scale, Readonly<Record<TreeSpec["shape"], { files: number; bytes: number }>>>> =
  {
    quick: {
      small: { files: 2000, bytes: 6e6 },
      large: { files: 2, bytes: 50e6 },
      mixed: { files: 1000, bytes: 20e6 },
    },
    standard: {
      small: { files: 10_000, bytes: 30e6 },
      large: { files: 3, bytes: 150e6 },
      mixed: { files: 5000, bytes: 100e6 },
    },
    full: {
      small: { files: 40_000, bytes: 120e6 },
      large: { files: 6, bytes: 600e6 },
      mixed: { files: 20_000, bytes: 400e6 },
    },
  };

/** As those of the image that `npm run bench:image` builds: a distribution, packages, node_modules, changes. */
const imageLayers: readonly TreeSpec[] = [
  { shape: "mixed", files: 7000, bytes: 164e6, compressible: true },
  { shape: "mixed", files: 19_900, bytes: 501e6, compressible: true },
  { shape: "small", files: 47_000, bytes: 324e6, compressible: true },
  { shape: "small", files: 6100, bytes: 49e6, compressible: true },
];
/** A driver that copies the parent for each layer copies a lot with ten. */
const thinLayers: Readonly<Record<Scale, number>> = { quick: 5, standard: 10, full: 10 };

/** The layers that a case is about. */
export function imageSpecOf(parameters: ApplyParameters): ImageSpec {
  const { compression } = parameters;
  if (!("shape" in parameters)) return { layers: [], compression };
  const { shape, files, bytes, compressible, layers } = parameters;
  if (shape === "image") return { layers: imageLayers, compression };
  const layer = { shape, compressible, files: Math.round(files / layers), bytes: Math.round(bytes / layers) };
  return { layers: Array.from({ length: layers }, () => layer), compression };
}

export function applyCases(scope: Scope): Case[] {
  const hasZstd = missingFacilities(["zstd"]).length === 0;
  const planned = scope.archive === undefined ? madeCases(scope) : archiveCases(scope);
  return planned
    .filter(({ compression }) => compression !== "zstd" || hasZstd)
    .map((parameters) => ({
      title: titleOf(parameters),
      parameters,
      subjects: scope.subjects.filter((subject) => canDo(subject, parameters)),
      threads: 1,
      iterations: 1,
      rounds: scope.scale === "quick" ? 3 : 5,
      warmup: true,
      settle: true,
      turnSeconds: turnSecondsOf(parameters, scope),
    }));
}

function madeCases({ scale, threads }: Scope): ApplyParameters[] {
  const most = threads.at(-1) ?? 1;
  const one = (shape: TreeSpec["shape"], compressible = true): Made => ({
    ...sizes[scale][shape],
    shape,
    compressible,
    layers: 1,
  });
  const thin: Made = { ...one("mixed"), layers: thinLayers[scale] };
  if (scale === "quick") {
    return [
      { ...one("small"), ...gzip },
      { ...one("large", false), ...plain },
      { ...one("mixed"), ...zstd },
      { ...thin, ...gzip, threads: most },
      { ...thin, ...gzip, threads: most, durable: true },
    ];
  }
  const image: Made = {
    shape: "image",
    compressible: true,
    files: imageLayers.reduce((sum, { files }) => sum + files, 0),
    bytes: imageLayers.reduce((sum, { bytes }) => sum + bytes, 0),
    layers: imageLayers.length,
  };
  return [
    ...[plain, gzip, zstd].map((work) => ({ ...one("small"), ...work })),
    ...[plain, gzip].map((work) => ({ ...one("large", false), ...work })),
    ...[gzip, zstd].map((work) => ({ ...one("large"), ...work })),
    { ...one("mixed"), ...gzip },
    { ...one("mixed"), ...gzip, durable: true },
    ...threads.map((count) => ({ ...thin, ...gzip, threads: count })),
    { ...thin, ...gzip, threads: most, durable: true },
    ...(scale === "full" ? wholeImages(threads).map((work) => ({ ...image, ...work })) : []),
  ];
}

function archiveCases({ scale, threads }: Scope): ApplyParameters[] {
  if (scale !== "quick") return [...wholeImages(threads), zstd];
  const most = threads.at(-1) ?? 1;
  return [
    { ...gzip, threads: most },
    { ...gzip, threads: most, durable: true },
  ];
}

function wholeImages(threads: readonly number[]): Work[] {
  const most = threads.at(-1) ?? 1;
  return [
    ...threads.map((count) => ({ ...gzip, threads: count })),
    { ...gzip, threads: most, durable: true },
    { ...plain, threads: most },
  ];
}

function canDo(subject: Subject, parameters: ApplyParameters): boolean {
  const layers = layersOf(parameters);
  if (subject.kind === "driver") return layers <= subject.capabilities.maxDepth;
  if (subject.id === "umoci") return layers > 1 && parameters.compression !== "zstd";
  return subject.id === "tar" || subject.id === "calibration";
}

/** Of an archive it is not known before it is read; it is an image, and so it has several. */
function layersOf(parameters: ApplyParameters): number {
  return "layers" in parameters ? parameters.layers : 2;
}

const contents = {
  small: "many small files",
  large: "few large files",
  mixed: "files of all sizes",
  image: "an image of 1 GB",
} as const;

function titleOf(parameters: ApplyParameters): string {
  const { compression, threads, durable } = parameters;
  const form = compression === "none" ? "raw" : compression;
  const layers = layersOf(parameters);
  const what =
    "shape" in parameters
      ? `${layers === 1 ? "one" : layers} ${form} ${layers === 1 ? "layer" : "layers"}: ${contents[parameters.shape]}` +
        (parameters.compressible ? "" : " that do not compress")
      : `${form} layers of the archive`;
  const how = layers === 1 ? "" : threads === 1 ? ", one after the other" : `, up to ${threads} side by side`;
  return `${what}${how}${durable ? ", durable" : ""}`;
}

function turnSecondsOf(parameters: ApplyParameters, { archive }: Scope): number {
  const [bytes, files] =
    "shape" in parameters ? [parameters.bytes, parameters.files] : [sizeOf(archive ?? ""), 80_000];
  return 0.1 + bytes / 200e6 + files * 40e-6;
}

/** Of a file, or of the files in a directory; an archive that is not there will be noticed by whoever reads it. */
function sizeOf(path: string): number {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isDirectory() !== true) return status?.size ?? 0;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
