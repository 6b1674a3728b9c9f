import type { Workload } from "../workload.ts";
import { storeCases } from "./store/cases.ts";
import { listTrial, loadTrial, maintainTrial, removeTrial, saveTrial } from "./store/trials.ts";

/** Whole commands, on images. */
export const store: Workload = {
  title: "Store",
  summary:
    "Whole commands, from their start to their exit; daemons run already. A load is into a new and empty store. Of " +
    "compressed layers, Docker and containerd read an archive, the others a layout; umoci unpacks one tree and keeps no " +
    "images. Peers do not sync: where Strata does (durable), they do what they always do. containerd's rmi ends before " +
    "the space is given back, the others' after.",

  cases: storeCases,

  async open(context) {
    const { does } = context.parameters;
    switch (does) {
      case "load":
        return await loadTrial(context);
      case "save":
        return await saveTrial(context);
      case "list":
        return await listTrial(context);
      case "remove":
        return await removeTrial(context);
      case "maintain":
        return await maintainTrial(context);
      default:
        throw new TypeError(`no case of stores does ${does}`);
    }
  },
};
