import type { Labels, SnapshotFilter } from "@strata/core";
import { describeTreeStep, type TreeStep } from "./tree-step.ts";

/** One call, or a few that belong together, on a driver. Some are refused: the model knows which, and how. */
export type Step =
  | { readonly call: "prepare"; readonly key: string; readonly parent?: string; readonly labels: Labels }
  | { readonly call: "view"; readonly key: string; readonly parent: string; readonly labels: Labels }
  /** With a parent, that parent is named once more. */
  | {
      readonly call: "commit";
      readonly key: string;
      readonly name: string;
      readonly parent?: string;
      readonly labels?: Labels;
    }
  /** Once more by the handle of the last that was committed. */
  | { readonly call: "commit again"; readonly name: string }
  | { readonly call: "remove"; readonly id: string }
  /** Mount, and keep it mounted. */
  | { readonly call: "mount"; readonly key: string; readonly persistent: boolean }
  /** Close one of the mounts that are kept. */
  | { readonly call: "close mount"; readonly key: string }
  /** Give up the persistent mount. */
  | { readonly call: "unmount"; readonly key: string }
  | { readonly call: "label"; readonly id: string; readonly labels: Labels }
  | { readonly call: "list"; readonly filter: SnapshotFilter }
  | { readonly call: "cleanup" }
  /** Open the driver anew on its root, and close the old one. */
  | { readonly call: "reopen" }
  | { readonly call: "edit"; readonly key: string; readonly step: TreeStep }
  /** Try to write into a view. */
  | { readonly call: "write into view"; readonly key: string };

/** For people. */
export function describeStep(step: Step): string {
  switch (step.call) {
    case "prepare":
      return `prepare ${step.key}${step.parent === undefined ? "" : ` on ${step.parent}`}${labelled(step.labels)}`;
    case "view":
      return `view ${step.key} on ${step.parent}${labelled(step.labels)}`;
    case "commit": {
      const parent = step.parent === undefined ? "" : ` on ${step.parent}`;
      return `commit ${step.key} as ${step.name}${parent}${labelled(step.labels)}`;
    }
    case "commit again":
      return `commit what was committed last again, as ${step.name}`;
    case "remove":
      return `remove ${step.id}`;
    case "mount":
      return `mount ${step.key}${step.persistent ? " persistently" : ""}`;
    case "close mount":
      return `close a mount of ${step.key}`;
    case "label":
      return `label ${step.id}${labelled(step.labels)}`;
    case "list":
      return `list ${JSON.stringify(step.filter)}`;
    case "unmount":
    case "write into view":
      return `${step.call} ${step.key}`;
    case "cleanup":
    case "reopen":
      return step.call;
    case "edit":
      return `in ${step.key}: ${describeTreeStep(step.step)}`;
  }
}

function labelled(labels: Labels | undefined): string {
  return labels === undefined || Object.keys(labels).length === 0 ? "" : ` with ${JSON.stringify(labels)}`;
}
