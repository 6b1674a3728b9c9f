import { afterEach, describe, expect, it } from "vitest";
import { type Call, StoreProcess } from "./support/child.ts";
import { imageOf, type TestImage } from "./support/image.ts";
import { archiveOf } from "./support/load.ts";
import { drivers, type OpenedStore, openStore, Scratch, treeOf } from "./support/store.ts";
import { unowned } from "./support/unowned.ts";

let scratch: Scratch;
let opened: OpenedStore;
let images: TestImage[];
let archives: string[];

/** Three images on one layer, none loaded but the first. */
async function start(driver = drivers[0]): Promise<void> {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"), driver);
  const base = { "base/file": "x".repeat(100_000) };
  images = await Promise.all(
    ["a", "b", "c"].map((name) => imageOf([base, { [name]: name }, { [`${name}2`]: name }])),
  );
  archives = await Promise.all(
    images.map((image, n) => archiveOf(scratch, [{ image, tags: [`image:${n}`] }])),
  );
  await opened.store.load(archives[0] ?? "");
}

afterEach(async () => {
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

async function expectGood(): Promise<void> {
  expect(await opened.store.check()).toEqual([]);
  await opened.store.gc();
  expect(await unowned(opened)).toEqual([]);
}

describe.each(drivers)("several at once under %s", (driver) => {
  it("processes load, create, commit, remove and collect garbage", async () => {
    await start(driver);
    const [, second = "", third = ""] = archives;
    const tasks: Call[][] = [
      [
        ["load", second],
        ["createContainer", "image:1", { name: "one" }],
        ["commit", "one", { reference: "made:1" }],
      ],
      [["load", third], ["removeImages", ["image:2"]], ["load", third], ["gc"]],
      [["gc"], ["createContainer", "image:0", { name: "two" }], ["gc"], ["removeContainer", "two"], ["gc"]],
      [["load", second], ["tag", "image:1", "other:1"], ["load", third], ["check"]],
    ];
    const codes = await Promise.all(
      tasks.map(async (calls) => {
        const ended: (number | null)[] = [];
        for (const call of calls)
          ended.push(await (await StoreProcess.start(opened.root, driver, call)).end());
        return ended;
      }),
    );
    expect(codes).toEqual(tasks.map((calls) => calls.map(() => 0)));
    for (const name of ["a", "b", "c"]) {
      const tree = await treeOf(opened, `image:${"abc".indexOf(name)}`);
      expect(new Set(Object.keys(tree))).toEqual(new Set([name, `${name}2`, "base/file"]));
    }
    await expectGood();
  });

  it("calls in one process load the same image, and remove it again", async () => {
    await start(driver);
    await Promise.all([1, 2, 3, 4].map(() => opened.store.load(archives[1] ?? "")));
    expect(await opened.store.images()).toHaveLength(2);
    await Promise.all([
      opened.store.removeImages(["image:1"]),
      opened.store.load(archives[2] ?? ""),
      opened.store.gc(),
      opened.store.createContainer("image:0"),
    ]);
    expect(Object.keys(await treeOf(opened, "image:2"))).toContain("c2");
    await expectGood();
  });
});
