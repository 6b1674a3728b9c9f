import { createHash } from "node:crypto";
import { chainIds, type Digest, digestHex, digestOf, isDigest, parseDigest } from "@strata/core";
import { expect, test } from "vitest";

const empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

test("the digest of no bytes", () => {
  expect(digestOf("")).toBe(empty);
  expect(digestOf(new Uint8Array())).toBe(empty);
  expect(digestHex(digestOf(""))).toBe(empty.slice(7));
});

test.each([
  empty.toUpperCase(),
  empty.replace("sha256", "sha512"),
  empty.replace("sha256", "md5"),
  empty.slice(0, -1),
  `${empty}0`,
  `${empty}\n`,
  ` ${empty}`,
  "sha256:../../../../../../../../../../../../../../../../../../../../../etc",
  "",
  undefined,
  7,
])("%j is no digest", (text) => {
  expect(isDigest(text)).toBe(false);
  expect(() => parseDigest(text, "the config's digest")).toThrow(
    expect.objectContaining({
      code: "InvalidArgument",
      message: expect.stringContaining("the config's digest"),
    }),
  );
});

// image-spec, config.md: ChainID(A|B|C) = Digest(ChainID(A|B) + " " + DiffID(C)).
test("chain IDs", () => {
  const [a, b, c] = ["a", "b", "c"].map((layer): Digest => digestOf(layer));
  if (a === undefined || b === undefined || c === undefined) throw new Error("three digests");
  const hash = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
  const ab = hash(`${a} ${b}`);
  expect(chainIds([a, b, c])).toEqual([a, ab, hash(`${ab} ${c}`)]);
  expect(chainIds([])).toEqual([]);
});
