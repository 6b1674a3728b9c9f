import type { ImageSpec } from "../dataset/image.ts";
import { run } from "../peers/command.ts";
import type { Operation, Parameters, Scale, Scope, TrialContext } from "../workload.ts";

/** The image that whole commands are measured with, and how long that takes. */
interface Size {
  readonly files: number;
  readonly bytes: number;
  readonly rounds: number;
  /** About how long a load takes, of the fast and the slow. */
  readonly loadSeconds: number;
}

export const imageSizes: Readonly<Record<Scale, Size>> = {
  quick: { files: 1_000, bytes: 12e6, rounds: 2, loadSeconds: 0.5 },
  standard: { files: 20_000, bytes: 260e6, rounds: 3, loadSeconds: 3 },
  full: { files: 80_000, bytes: 1040e6, rounds: 5, loadSeconds: 12 },
};

/** As in images that are built on a distribution: its files, packages, an application, and what was changed last. */
export function imageSpec(scale: Scale, compression: ImageSpec["compression"]): ImageSpec {
  const { files, bytes } = imageSizes[scale];
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

/** Which image it is, as a case's parameters tell it. */
export function imageParameters({ scale, archive }: Scope): Parameters {
  const { files, bytes } = imageSizes[scale];
  return archive === undefined ? { files, bytes } : { archive: true };
}

/** What it costs to start Node: no command of Strata's can be faster. */
export function startOfNode(name: string, { signal }: TrialContext): Operation {
  return { name, run: () => run(process.execPath, ["-e", "0"], { signal }) };
}
