import type { CapabilityName } from "@strata/conformance/suite";

export interface Lack {
  /** A capability's name. */
  readonly name: string;
  /** What is lacking, in words. */
  readonly words: string;
  readonly reason: string;
}

const capabilityWords: Readonly<Record<CapabilityName, string>> = {
  sharesParent: "layers that share what they have in common",
  readonlyViews: "views that root cannot write to",
  rebase: "layers unpacked side by side",
  ownership: "owners and devices as given",
  xattrs: "extended attributes",
  hardlinksKeptOnWrite: "hard links that stay one file when written to",
  quotaBytes: "quotas of bytes",
  quotaInodes: "quotas of inodes",
};

/** What a driver said that it cannot do: `name: reason`. */
export function lacksOf({ lacks }: { readonly lacks: readonly string[] }): Lack[] {
  return lacks.map((line) => {
    const [name = "", ...reason] = line.split(": ");
    return { name, words: isCapability(name) ? capabilityWords[name] : name, reason: reason.join(": ") };
  });
}

/** Results may be of a version that has others. */
function isCapability(name: string): name is CapabilityName {
  return Object.hasOwn(capabilityWords, name);
}
