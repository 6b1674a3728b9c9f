import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { dataDirectory, dataset } from "../dataset/paths.ts";
import { run } from "../peers/command.ts";
import { measureContainerReady } from "./container-ready.ts";
import { comparisons, contenders } from "./contenders.ts";
import { freshFileSystem } from "./fresh-file-system.ts";
import { measureImageList } from "./image-list.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { runRounds } from "./rounds.ts";
import { median, ratio, type Samples } from "./samples.ts";

/**
 * Measures what loading a large image costs, beside Podman and Skopeo on the same host and file system; how soon a
 * container is ready; and what it costs to list images. Needs root, podman and skopeo.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "4" }, json: { type: "string" } },
  });
  const machine = await describeMachine(dataDirectory);
  for (const line of machineLines(machine)) console.log(line);

  // All read the input from memory, the first one too.
  await run("sh", ["-c", `cat "$1" "$2"/blobs/sha256/* >/dev/null`, "sh", dataset.archive, dataset.layout]);
  const loads = await runRounds(contenders, Number(values.rounds), dataDirectory);
  const of = (contender: (typeof contenders)[number]): Samples => {
    const samples = loads.get(contender);
    if (samples === undefined) throw new Error(`${contender.name} was not run`);
    return samples;
  };
  const ratios = comparisons.map(({ ours, theirs, target }) => ({
    ours: ours.name,
    theirs: theirs.name,
    ratio: ratio(of(ours), of(theirs)),
    target,
  }));
  await using fileSystem = await freshFileSystem(dataDirectory);
  const ready = await measureContainerReady(fileSystem.path);
  const list = await measureImageList(fileSystem.path);

  console.log(`\n${"load, medians".padEnd(34)}${"time".padStart(9)}${"peak memory".padStart(14)}`);
  for (const samples of loads.values()) console.log(samplesLine(samples));
  console.log(`\n${"ratios".padEnd(54)}${"measured".padStart(9)}${"at most".padStart(9)}`);
  for (const { ours, theirs, ratio, target } of ratios)
    console.log(ratioLine(`${ours} / ${theirs}`, ratio, target));
  console.log(ratioLine(`${list.ours.name} / ${list.node.name}`, ratio(list.ours, list.node), 3));
  console.log("\ncontainer ready: prepare and mount, in process");
  for (const { image, medianMs, p99Ms, samples } of ready) {
    console.log(
      `${image.padEnd(34)}${medianMs.toFixed(2).padStart(6)} ms   99 of 100 below ${p99Ms.toFixed(2)} ms, ${samples} samples`,
    );
  }

  if (values.json !== undefined) {
    const report = { machine, loads: [...loads.values()], ratios, ready, list };
    writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
}

function samplesLine({ name, milliseconds, peakBytes }: Samples): string {
  const seconds = `${(median(milliseconds) / 1000).toFixed(2)} s`;
  return `${name.padEnd(34)}${seconds.padStart(9)}${`${(Math.max(...peakBytes) / 2 ** 20).toFixed(0)} MiB`.padStart(14)}`;
}

function ratioLine(what: string, measured: number, target: number | undefined): string {
  return `${what.padEnd(54)}${measured.toFixed(2).padStart(9)}${(target?.toFixed(2) ?? "").padStart(9)}`;
}

await main();
