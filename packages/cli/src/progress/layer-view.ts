import type { ImageProgress } from "@strata/store";
import type { Context } from "../context.ts";
import type { Output } from "../output.ts";
import { LiveLines } from "./live-lines.ts";

/** What happens to a layer, as far as every way to show it needs to know. */
export interface LayerEvent {
  readonly kind: "layer";
  readonly label: string;
  /** How far it is. */
  readonly bytes: number;
}

/** How one command words what happens to layers. */
export interface Wording<E extends LayerEvent> {
  /** What is being done, for a line that changes in place; `room` is what it may take, in characters. */
  readonly state: (event: E, room: number) => string;
  /** What has been done, for a line that stays; undefined as long as there is more to do. */
  readonly outcome: (event: E) => string | undefined;
}

/** Shows what happens to layers. */
export interface LayerView<E extends LayerEvent> extends Disposable {
  show(event: E | ImageProgress): void;
}

export interface LayerViewOptions {
  /** Show nothing. @defaultValue false */
  readonly quiet?: boolean | undefined;
  /** A line for people, above the first that anything is shown of. */
  readonly heading?: string;
  /** What goes on where an interruption ended it, if it is done again; on a terminal that is said. */
  readonly resumable?: "pull" | "push";
  /** Where outcomes go if there is no terminal. @defaultValue standard output */
  readonly outcomes?: Output;
}

/**
 * The way to show progress here: with `--json` a line of JSON an event; on a terminal a line for each layer that changes
 * in place; elsewhere the outcome for each layer, and nothing of the way there.
 */
export function layerView<E extends LayerEvent>(
  { stdout, stderr, signal, options: { json } }: Context,
  { state, outcome }: Wording<E>,
  { quiet = false, heading, resumable, outcomes = stdout }: LayerViewOptions = {},
): LayerView<E> {
  if (quiet) return onEvents(() => undefined);
  if (json) return onEvents((event) => print(stdout.jsonLine(event)));
  let above = heading;
  const begin = (): void => {
    if (above !== undefined) print(stdout.line(above));
    above = undefined;
  };
  if (!stdout.isTerminal)
    return onEvents((event) => {
      begin();
      if (event.kind !== "layer") return;
      const text = outcome(event);
      if (text !== undefined) print(outcomes.line(`${event.label}: ${text}`));
    });
  const lines = new LiveLines(stdout, stderr);
  let hasBegun = false;
  return {
    show: (event) => {
      begin();
      if (event.kind !== "layer") return;
      hasBegun ||= event.bytes > 0;
      const start = `${event.label}: `;
      lines.set(event.label, start + state(event, lines.room - start.length));
    },
    [Symbol.dispose]: () => {
      lines[Symbol.dispose]();
      if (signal.aborted && hasBegun && resumable !== undefined)
        print(stderr.line(`Interrupted: the next ${resumable} goes on from here`));
    },
  };
}

function onEvents<E extends LayerEvent>(show: LayerView<E>["show"]): LayerView<E> {
  return { show, [Symbol.dispose]: () => undefined };
}

/** Progress is not worth waiting for, nor failing for. */
function print(written: Promise<void>): void {
  void written.catch(() => undefined);
}
