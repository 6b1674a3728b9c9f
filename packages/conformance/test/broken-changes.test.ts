import { changes } from "./broken/changes.ts";
import { holdBroken } from "./broken/hold-broken.ts";

holdBroken("changes", changes);
