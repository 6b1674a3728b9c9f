import type { Leaf } from "../catalogue.ts";
import { type Context, rootOf } from "../context.ts";
import type { Candidate } from "./complete.ts";

/** The shells that have a completion script. */
export const shells = ["bash", "zsh", "fish"] as const;

/** What there is of the kind that a command takes. Nothing, if there is no store, or it cannot be read. */
export async function namesFor(kind: Leaf["completes"], context: Context): Promise<Candidate[]> {
  switch (kind) {
    case "image":
      return await orNothing(imageNames(context));
    case "container":
      return await orNothing(containerNames(context));
    case "image or container":
      return [...(await orNothing(containerNames(context))), ...(await orNothing(imageNames(context)))];
    case "shell":
      return shells.map((text) => ({ text }));
    case "workload":
      return (await import("@strata/benchmarks")).workloadNames.map((text) => ({ text }));
    default:
      return [];
  }
}

async function imageNames({ options }: Context): Promise<Candidate[]> {
  const { listImages, parseName } = await import("@strata/store");
  const images = await listImages({ root: rootOf(options) });
  return images.flatMap(({ references }) => references.map((name) => ({ text: parseName(name).familiar() })));
}

async function containerNames({ options }: Context): Promise<Candidate[]> {
  const { listContainers } = await import("@strata/store");
  const containers = await listContainers({ root: rootOf(options) });
  return containers.map(({ name, image }) => ({ text: name, description: image }));
}

async function orNothing(candidates: Promise<Candidate[]>): Promise<Candidate[]> {
  return await candidates.catch(() => []);
}
