import type { LayerProgress, ProgressEvent } from "@strata/store";
import type { Context } from "../context.ts";
import { formatSize } from "../format/size.ts";
import { progressBar } from "./bar.ts";
import { LiveLines } from "./live-lines.ts";

/** Shows how layers come in. */
export interface ProgressView extends Disposable {
  show(event: ProgressEvent): void;
}

/**
 * The way to show progress here: with `--json` a line of JSON an event; on a terminal a bar for each layer; elsewhere
 * a line for each layer that is done, on standard error, since scripts read standard output; nothing with `quiet`.
 */
export function layerProgress({ stdout, stderr, options }: Context, quiet = false): ProgressView {
  if (quiet) return onEvents(() => undefined);
  if (options.json)
    return onEvents((event) => void stdout.write(`${JSON.stringify(event)}\n`).catch(() => undefined));
  if (!stdout.isTerminal)
    return onEvents((event) => {
      if (event.kind === "layer" && (event.status === "done" || event.status === "exists"))
        void stderr.line(`${event.label}: ${summaryOf(event)}`).catch(() => undefined);
    });
  const lines = new LiveLines(stdout);
  return {
    show: (event) => {
      if (event.kind === "layer") lines.set(event.label, describe(event, lines.room));
    },
    [Symbol.dispose]: () => lines.flush(),
  };
}

function onEvents(show: (event: ProgressEvent) => void): ProgressView {
  return { show, [Symbol.dispose]: () => undefined };
}

function summaryOf({ status, bytes, totalBytes = bytes }: LayerProgress): string {
  return status === "exists" ? "Already exists" : `Loaded layer ${formatSize(totalBytes, 4)}`;
}

function describe({ label, status, bytes, totalBytes }: LayerProgress, room: number): string {
  if (status === "waiting") return `${label}: Waiting`;
  if (status === "exists") return `${label}: Already exists`;
  const start = `${label}: Loading layer `;
  return (
    start + progressBar(status === "done" ? (totalBytes ?? bytes) : bytes, totalBytes, room - start.length)
  );
}
