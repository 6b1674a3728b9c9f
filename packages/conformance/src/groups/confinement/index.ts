import type { Group } from "../../behaviour.ts";
import { attributes } from "./attributes.ts";
import { limits } from "./limits.ts";
import { links } from "./links.ts";
import { names } from "./names.ts";
import { sizes } from "./sizes.ts";
import { swap } from "./swap.ts";

export const confinement: Group = {
  name: "confinement",
  title: "confinement",
  behaviours: [...links, ...names, ...swap, ...sizes, ...limits, ...attributes],
};
