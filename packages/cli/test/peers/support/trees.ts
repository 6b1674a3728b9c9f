import { type CompareTreesOptions, compareTrees } from "@strata/layer";
import { expect } from "vitest";

export interface SameTreeOptions extends CompareTreesOptions {
  /**
   * Whether the roots' own attributes are compared too. Layers rarely hold an entry of the root, and without one each
   * tool gives it the attributes that it likes; Docker heeds none. @defaultValue false
   */
  readonly root?: boolean;
}

/** Hold two trees against each other, entry by entry. */
export async function expectSameTree(
  ours: string,
  theirs: string,
  { root = false, ...options }: SameTreeOptions = {},
): Promise<void> {
  const differences: string[] = [];
  for await (const { path, what } of compareTrees(ours, theirs, options)) {
    if (path.length > 0 || root) differences.push(`/${path.toString("latin1")}: ${what}`);
  }
  expect(differences).toEqual([]);
}
