const words =
  "access action array base binary buffer build cache call channel client code common config constants context control copy core create cursor data date decode default detail device directory display document driver effect element encode engine entry error event export field file filter font format frame function generate graph group handle header helper host icon image import index input install interface item kernel key label language layout library license line link list loader locale lock log manager map mark match memory menu message method mode model module monitor mount name network node notes number object operation option order output package page panel parse path pattern plugin point policy port print process profile prototype provider query queue range reader record reference registry release remote render report request resource response result role root route rule runtime sample schema scope script search section select server service session set shape shared signal size source stack state static status store stream string style summary support symbol sync system table target task template test text theme thread time token tool trace transform tree type unit update user utils value vector version view widget window worker wrapper writer".split(
    " ",
  );

const endings = {
  small: [".js", ".js", ".js", ".mjs", ".d.ts", ".d.ts", ".map", ".json", ".md", ".txt", ""],
  large: [".so.1", ".so.2.0", ".so.6.0.1", "", ".a"],
  mixed: [".gz", ".h", ".h", ".html", ".mo", ".pl", ".pm", ".py", ".py", ".conf", ".list", ".md5sums", ""],
} as const;

/** Names as people give them, each once in its directory: 9 to 15 bytes mostly, some much longer. */
export class NameMaker {
  readonly #endings: readonly string[];
  readonly #random: () => number;
  readonly #taken = new Set<string>();

  constructor(shape: keyof typeof endings, random: () => number) {
    this.#endings = endings[shape];
    this.#random = random;
  }

  directoryIn(parent: string): string {
    return this.#free(parent, "", false);
  }

  fileIn(parent: string): string {
    const ending = this.#pick(this.#endings);
    // In capitals, so that no file of one layer has the name of a directory of another.
    return this.#free(parent, ending, ending === "");
  }

  #free(parent: string, ending: string, capitals: boolean): string {
    for (let tried = 0; ; tried++) {
      const stem = capitals ? this.#stem().toUpperCase() : this.#stem();
      const path = `${parent}/${stem}${tried > 2 ? tried : ""}${ending}`;
      if (this.#taken.has(path)) continue;
      this.#taken.add(path);
      return path;
    }
  }

  #stem(): string {
    const drawn = this.#random();
    const count = drawn < 0.5 ? 1 : drawn < 0.9 ? 2 : drawn < 0.98 ? 3 : 7;
    return Array.from({ length: count }, () => this.#pick(words)).join("-");
  }

  #pick(from: readonly string[]): string {
    return from[Math.floor(this.#random() * from.length)] ?? "";
  }
}
