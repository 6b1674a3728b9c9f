import { faults } from "./broken/faults.ts";
import { holdBroken } from "./broken/hold-broken.ts";

holdBroken("faults", faults);
