import type { Workload } from "../workload.ts";
import { registryCases } from "./registry/cases.ts";
import { pullAgainTrial, pullTrial, pushTrial } from "./registry/trials.ts";

/** Whole commands, with a registry on the same host. */
export const registry: Workload = {
  title: "Registry",
  summary:
    "Whole commands, from their start to their exit, of an image with gzip layers and a docker-registry on 127.0.0.1, " +
    "which runs already. A pull is into a new and empty store and unpacks. Of an unchanged image, Strata makes one " +
    "request; more, and it fails. A push is to an empty registry: Strata, containerd and Skopeo with an OCI layout push " +
    "the layers as they were pulled; from its containers-storage, and in Podman and Docker, they are compressed anew. " +
    "Peers do not sync what they pull: where Strata does (durable), they do what they always do.",
  needs: ["docker-registry"],

  cases: registryCases,

  async open(context) {
    const { does } = context.parameters;
    switch (does) {
      case "pull":
        return await pullTrial(context);
      case "pull again":
        return await pullAgainTrial(context);
      case "push":
        return await pushTrial(context);
      default:
        throw new TypeError(`no case of registries does ${does}`);
    }
  },
};
