import { durability } from "./broken/durability.ts";
import { holdBroken } from "./broken/hold-broken.ts";
import { disk } from "./disk/under-test.ts";

// The other groups have nothing to say about it.
holdBroken("durability", durability, { whole: disk, groups: ["faults"] });
