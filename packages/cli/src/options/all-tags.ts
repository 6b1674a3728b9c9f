import type { Reference } from "@strata/store";

/**
 * Whether a name on the command line says which image of its repository is meant: `latest` is, if it does not.
 * @throws Error, in docker's words, if it does though all of them are asked for
 */
export function namesOneImage({ tag, digest }: Reference, allTags = false): boolean {
  const isNamed = tag !== undefined || digest !== undefined;
  if (allTags && isNamed) throw new Error("tag can't be used with --all-tags/-a");
  return isNamed;
}
