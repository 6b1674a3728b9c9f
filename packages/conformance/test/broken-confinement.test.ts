import { confinement } from "./broken/confinement.ts";
import { holdBroken } from "./broken/hold-broken.ts";

holdBroken("confinement", confinement, { groups: ["confinement", "content", "changes"] });
