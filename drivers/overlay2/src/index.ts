export { type Overlay2Options, overlay2 } from "./overlay2.ts";
