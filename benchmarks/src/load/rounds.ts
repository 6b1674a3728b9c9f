import { run } from "../peers/command.ts";
import type { Contender } from "./contenders.ts";
import { freshFileSystem } from "./fresh-file-system.ts";
import type { Samples } from "./samples.ts";

/**
 * Let all contenders run once a round, each round beginning with another one, so that what disturbs the machine for a
 * while disturbs all alike. Each run has a file system of its own, and before it everything dirty is written to disk:
 * none pays for what another wrote or deleted.
 * @param parent - where the file systems are made
 */
export async function runRounds(
  contenders: readonly Contender[],
  rounds: number,
  parent: string,
): Promise<ReadonlyMap<Contender, Samples>> {
  const samples = new Map<Contender, Samples>(
    contenders.map((contender) => [contender, { name: contender.name, milliseconds: [], peakBytes: [] }]),
  );
  for (let round = 0; round < rounds; round++) {
    const first = round % contenders.length;
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      await using fileSystem = await freshFileSystem(parent);
      await run("sync", []);
      const { milliseconds, peakBytes } = await contender.load(fileSystem.path);
      samples.get(contender)?.milliseconds.push(milliseconds);
      samples.get(contender)?.peakBytes.push(peakBytes);
      console.log(
        `round ${round + 1}  ${contender.name.padEnd(28)}${(milliseconds / 1000).toFixed(2).padStart(7)} s`,
      );
    }
  }
  return samples;
}
