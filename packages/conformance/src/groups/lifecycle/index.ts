import type { Group } from "../../behaviour.ts";
import { capabilities } from "./capabilities.ts";
import { committed } from "./committed.ts";
import { ids } from "./ids.ts";
import { labels } from "./labels.ts";
import { list } from "./list.ts";
import { opening } from "./opening.ts";
import { parents } from "./parents.ts";
import { removal } from "./removal.ts";
import { stat } from "./stat.ts";
import { taken } from "./taken.ts";
import { trees } from "./trees.ts";
import { usage } from "./usage.ts";
import { views } from "./views.ts";

export const lifecycle: Group = {
  name: "lifecycle",
  title: "lifecycle",
  behaviours: [
    ...opening,
    ...capabilities,
    ...ids,
    ...taken,
    ...trees,
    ...parents,
    ...views,
    ...stat,
    ...labels,
    ...committed,
    ...list,
    ...usage,
    ...removal,
  ],
};
