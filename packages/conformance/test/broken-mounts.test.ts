import { holdBroken } from "./broken/hold-broken.ts";
import { mounts } from "./broken/mounts.ts";

holdBroken("mounts", mounts);
