import { statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { applyPlain, useWorkers } from "./apply-layers.ts";
import { dir, file, tar } from "./build-layer.ts";
import { useScratch } from "./layouts.ts";

const scratch = useScratch();
const workers = useWorkers();

const archive = tar(dir("d"), file("d/f", "text"), file("g", "x".repeat(10_000)));
const own = process.geteuid?.() === 0 ? {} : { ignoreOwnership: true };

describe("limits", () => {
  const zeros = gzipSync(tar(file("f", "\0".repeat(70_000_000))));
  const deep = tar(file(`${"d/".repeat(600)}f`));
  const pax = tar(file("f", "", { pax: { comment: "c".repeat(2_000_000) } }));
  const hole = tar(file("f", "x", { pax: { "GNU.sparse.map": "0,1", "GNU.sparse.size": `${2 ** 49}` } }));
  const map = tar(
    file("f", `1000000\n${"0\n".repeat(1_000_000)}`, {
      pax: { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1" },
    }),
  );
  const cases = [
    ["ratio-cap", zeros, {}, "maxRatio", "--max-ratio"],
    ["bytes-cap", archive, { maxBytes: 5000 }, "maxBytes", "--max-bytes"],
    ["bytes-cap, of files with holes", hole, {}, "maxBytes", "--max-bytes"],
    ["entry-cap", archive, { maxEntries: 2 }, "maxEntries", "--max-entries"],
    ["depth-cap", deep, {}, "maxDepth", "--max-depth"],
    ["oversize-pax-header", pax, {}, "maxHeaderBytes", "--max-header-bytes"],
    ["sparse-map-bomb", map, {}, "maxHeaderBytes", "--max-header-bytes"],
  ] as const;
  for (const [title, layer, limits, name, flag] of cases) {
    it(title, async () => {
      const message = expect.stringMatching(new RegExp(`\\(${name}\\).*${flag}`));
      const applied = applyPlain(workers, scratch, layer, { ...own, limits });
      await expect(applied).rejects.toMatchObject({ code: "InvalidArgument", message });
    });
  }

  it("can be raised", async () => {
    const { tree } = await applyPlain(workers, scratch, zeros, { ...own, limits: { maxRatio: 2000 } });
    const { size, blocks } = statSync(join(tree, "f"));
    expect(size).toBe(70_000_000);
    expect(blocks * 512, "zeros become holes").toBeLessThan(1_000_000);
    await applyPlain(workers, scratch, deep, { ...own, limits: { maxDepth: 1000 } });
    await applyPlain(workers, scratch, pax, { ...own, limits: { maxHeaderBytes: 1e7 } });
  });
});
