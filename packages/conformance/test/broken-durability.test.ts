import { durability } from "./broken/durability.ts";
import { holdBroken } from "./broken/hold-broken.ts";
import { onDisk } from "./broken/on-disk.ts";

// The other groups have nothing to say about it.
holdBroken("durability", durability, { whole: onDisk, groups: ["faults"] });
