export interface Lack {
  /** A capability's name. */
  readonly name: string;
  /** What is lacking, in words. */
  readonly words: string;
  readonly reason: string;
}

const capabilityWords: Readonly<Record<string, string>> = {
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
    return { name, words: capabilityWords[name] ?? name, reason: reason.join(": ") };
  });
}
