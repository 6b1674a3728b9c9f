import type { BrokenDriver } from "./broken-driver.ts";
import { whole } from "./on-disk.mjs";

/** Drivers on disk that forget to make sure that it is there. */
export const durability: readonly BrokenDriver[] = [
  {
    flaw: "is whole: what the next is compared with",
    create: whole,
    fails: [],
  },
  {
    flaw: "commits before its data are durable",
    create: (options) => whole({ ...options, durability: "none" }),
    fails: ["committed-survives-power-cut", "eio-commit", "labels-survive-power-cut", "one-sync-for-several"],
  },
  {
    flaw: "makes nothing durable when it is told to sync",
    create: async (options) => Object.assign(await whole(options), { sync: async () => {} }),
    fails: ["one-sync-for-several"],
  },
];
