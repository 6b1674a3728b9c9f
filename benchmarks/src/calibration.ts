import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digestHex } from "@strata/core";
import { writePlan } from "./calibration-plan.ts";
import { type LayerArchive, once } from "./dataset/layers.ts";
import { run } from "./peers/command.ts";

const source = fileURLToPath(new URL("../calibration/make-files.c", import.meta.url));

/** What the program needs to make the files of a layer. */
interface PlannedLayer {
  readonly plan: string;
  readonly contents: string;
}

/** A C program that only makes the files of layers: what the kernel takes for that, and so the least that is possible. */
export class Calibration {
  readonly #program: string;
  readonly #layers: readonly PlannedLayer[];

  private constructor(program: string, layers: readonly PlannedLayer[]) {
    this.#program = program;
    this.#layers = layers;
  }

  /**
   * Build the program, and prepare what it needs; once a run.
   * @param datasets - where both are kept
   * @throws Error, if `cc` is not there or fails
   * @throws AbortError, on the signal
   */
  static async open(
    datasets: string,
    layers: readonly LayerArchive[],
    signal?: AbortSignal,
  ): Promise<Calibration> {
    const program = join(datasets, "make-files");
    await once(program, async (partial) => {
      await run("cc", ["-O2", "-o", partial, source], { signal });
    });
    const planned: PlannedLayer[] = [];
    // The largest first, so that it is not left over for one process at the end.
    for (const layer of layers.toSorted((a, b) => b.bytes - a.bytes))
      planned.push(await planLayer(datasets, layer, signal));
    return new Calibration(program, planned);
  }

  /**
   * Make the files.
   * @param directory - gets a directory for each layer
   * @param processes - how many make them, a layer each at a time
   * @returns how long that took, in milliseconds, without reading the input
   */
  async makeFiles(
    directory: string,
    { processes, signal }: { readonly processes: number; readonly signal: AbortSignal },
  ): Promise<{ overriddenDuration: number }> {
    const args: string[] = [];
    for (const [index, { plan, contents }] of this.#layers.entries()) {
      const target = join(directory, `${index}`);
      await mkdir(target, { recursive: true });
      args.push(plan, contents, target);
    }
    const { stdout } = await run(this.#program, [`${processes}`, ...args], { signal });
    return { overriddenDuration: Number(stdout) / 1e6 };
  }
}

async function planLayer(
  datasets: string,
  { path, diffId }: LayerArchive,
  signal: AbortSignal | undefined,
): Promise<PlannedLayer> {
  const name = join(datasets, `calibration-${digestHex(diffId).slice(0, 16)}`);
  const planned = { plan: `${name}.plan`, contents: `${name}.contents` };
  await once(planned.plan, async (partial, scratch) => {
    await writePlan(path, { plan: partial, contents: scratch.join("contents"), signal });
    await rename(scratch.join("contents"), planned.contents);
  });
  return planned;
}
