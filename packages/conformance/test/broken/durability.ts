import { disk } from "../disk/disk-driver.ts";
import type { BrokenDriver } from "./broken-driver.ts";

/** Drivers on disk that forget to make sure that it is there. */
export const durability: readonly BrokenDriver[] = [
  {
    flaw: "is whole, but for being simple: what the next is compared with",
    create: disk,
    fails: [],
  },
  {
    flaw: "commits before its data are durable",
    create: (options) => disk({ ...options, durability: "none" }),
    fails: ["committed-survives-power-cut", "eio-commit", "labels-survive-power-cut", "one-sync-for-several"],
  },
  {
    flaw: "makes nothing durable when it is told to sync",
    create: async (options) => Object.assign(await disk(options), { sync: async () => {} }),
    fails: ["one-sync-for-several"],
  },
];
