import type { Reference } from "@strata/store";
import type { Leaf } from "../catalogue.ts";
import { type Context, rootOf } from "../context.ts";
import type { Candidate } from "./complete.ts";

/** The shells that have a completion script. */
export const shells = ["bash", "zsh", "fish"] as const;

/** What there is of the kind that a command takes. Nothing, if there is no store, or it cannot be read. */
export async function namesFor(kind: Leaf["completes"], context: Context): Promise<Candidate[]> {
  switch (kind) {
    case "image":
      return await orNothing(namesOfReferences(context, (reference) => reference.familiar()));
    case "container":
      return await orNothing(containerNames(context));
    case "image or container":
      return [...(await namesFor("container", context)), ...(await namesFor("image", context))];
    case "repository":
      return await orNothing(namesOfReferences(context, ({ familiarName }) => familiarName));
    case "registry":
      return await orNothing(namesOfReferences(context, ({ registry }) => registry));
    case "shell":
      return shells.map((text) => ({ text }));
    case "workload":
      return (await import("@strata/benchmarks")).workloadNames.map((text) => ({ text }));
    default:
      return [];
  }
}

/** Of each image's references something, each once. */
async function namesOfReferences(
  { options }: Context,
  name: (reference: Reference) => string,
): Promise<Candidate[]> {
  const { listImages, parseName } = await import("@strata/store");
  const images = await listImages({ root: rootOf(options) });
  const names = images.flatMap(({ references }) => references.map((text) => name(parseName(text))));
  return [...new Set(names)].map((text) => ({ text }));
}

async function containerNames({ options }: Context): Promise<Candidate[]> {
  const { listContainers } = await import("@strata/store");
  const containers = await listContainers({ root: rootOf(options) });
  return containers.map(({ name, image }) => ({ text: name, description: image }));
}

async function orNothing(candidates: Promise<Candidate[]>): Promise<Candidate[]> {
  return await candidates.catch(() => []);
}
