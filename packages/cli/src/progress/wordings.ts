import type { PushProgress } from "@strata/registry";
import type { LayerProgress } from "@strata/store";
import { formatSize } from "../format/size.ts";
import { progressBar } from "./bar.ts";
import type { LayerEvent, Wording } from "./layer-view.ts";

/** In docker's words, all of them. */

const arrivals = {
  waiting: () => "Waiting",
  downloading: (layer, room) =>
    layer.bytes === 0 ? "Pulling fs layer" : withBar("Downloading", layer, room),
  downloaded: () => "Download complete",
  unpacking: (layer, room) => withBar("Extracting", layer, room),
  loading: (layer, room) => withBar("Loading layer", layer, room),
  done: () => "Pull complete",
  exists: () => "Already exists",
} satisfies Record<LayerProgress["status"], (layer: LayerProgress, room: number) => string>;

/** Layers from a registry. */
export const pulling: Wording<LayerProgress> = {
  state: (layer, room) => arrivals[layer.status](layer, room),
  outcome: ({ status }) => (status === "done" || status === "exists" ? arrivals[status]() : undefined),
};

/** Layers from an archive. */
export const loading: Wording<LayerProgress> = {
  state(layer, room) {
    const { status, totalBytes = layer.bytes } = layer;
    return status === "done"
      ? arrivals.loading({ ...layer, bytes: totalBytes }, room)
      : arrivals[status](layer, room);
  },
  outcome({ status, bytes, totalBytes = bytes }) {
    if (status === "done") return `Loaded layer ${formatSize(totalBytes, 4)}`;
    return status === "exists" ? arrivals.exists() : undefined;
  },
};

export interface PushEvent extends LayerEvent, Omit<PushProgress, "label"> {}

const departures = {
  preparing: () => "Preparing",
  pushing: (layer, room) => withBar("Pushing", layer, room),
  pushed: () => "Pushed",
  exists: () => "Layer already exists",
  mounted: ({ from = "another repository" }) => `Mounted from ${from}`,
  skipped: () => "Skipped foreign layer",
} satisfies Record<PushProgress["status"], (layer: PushEvent, room: number) => string>;

/** Layers to a registry. */
export const pushing: Wording<PushEvent> = {
  state: (layer, room) => departures[layer.status](layer, room),
  outcome: (layer) =>
    layer.status === "preparing" || layer.status === "pushing" ? undefined : departures[layer.status](layer),
};

interface Amount {
  readonly bytes: number;
  readonly totalBytes?: number;
}

function withBar(word: string, { bytes, totalBytes }: Amount, room: number): string {
  return `${word} ${progressBar(bytes, totalBytes, room - word.length - 1)}`;
}
