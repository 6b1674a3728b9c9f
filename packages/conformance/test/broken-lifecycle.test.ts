import { holdBroken } from "./broken/hold-broken.ts";
import { lifecycle } from "./broken/lifecycle.ts";

holdBroken("lifecycle", lifecycle);
