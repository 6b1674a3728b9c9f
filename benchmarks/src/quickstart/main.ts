import { open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Scratch } from "@strata/conformance/suite";
import { Store } from "@strata/store";
import { chooseDriver, shortcomings } from "../subjects/choose-driver.ts";
import { addFiles, deleteFiles, modifyFiles, planEdits, readFiles, replaceDirectory } from "./edit-tree.ts";
import { Report } from "./report.ts";
import { checkDiff, differences, measure } from "./verify.ts";

const source = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const base = "quickstart:base";
const changed = "quickstart:changed";

/**
 * The main job of Strata, on data that every checkout has: import its `node_modules` as a base image, change it in a
 * container, commit, save, load into a second store, and hold the two trees against each other.
 * @returns what is wrong: nothing, if all is well
 */
async function quickstart(report: Report): Promise<string[]> {
  await using scratch = new Scratch();
  const { factory, driver, why } = await chooseDriver({ root: scratch.join("first", "driver") });
  await using _driver = driver;
  report.say("driver", `${driver.name}: ${why}`);
  for (const lack of shortcomings(driver)) report.say("", lack);
  report.say("source", source);
  report.say("stores", `${scratch.path}, removed at the end`);
  report.heading();

  // A base image, and a container: a writable layer on top of it.
  await using store = await Store.open({ root: scratch.join("first"), driver });
  const size = await measure(source);
  await report.step("import the source", async () => {
    await store.import(source, { reference: base });
    return size;
  });
  const container = await report.result("create a container", () => store.createContainer(base));
  const tree = await report.result("mount it", () => store.mountContainer(container.id));

  // Mounted, it is an ordinary directory, and any program can work in it.
  const plan = await planEdits(tree);
  await report.step("read files", () => readFiles(tree, plan));
  await report.step("modify files", () => modifyFiles(tree, plan));
  await report.step("delete files", () => deleteFiles(tree, plan));
  await report.step("add files", () => addFiles(tree, plan));
  await report.step("replace a directory", () => replaceDirectory(tree, plan));

  // What changed, as a list and as a new image.
  const diff = await report.step("diff", () => checkDiff(store, container.id, tree, plan));
  await report.step("commit", async () => {
    const { size } = await store.commit(container.id, { reference: changed });
    return { bytes: size, files: diff.files };
  });

  // Out, and into another store.
  const archive = scratch.join("changed.tar");
  const saved = await report.step("save", () => writeTo(archive, store.save([changed])));
  await using otherDriver = await factory({ root: scratch.join("second", "driver") });
  await using second = await Store.open({ root: scratch.join("second"), driver: otherDriver });
  await report.step("load into a second store", async () => {
    await second.load(archive);
    return { ...saved, files: size.files };
  });
  const copy = await second.mountContainer((await second.createContainer(changed)).id);

  const different = await report.result("compare the two trees", () => differences(tree, copy));
  await store.unmountContainer(container.id);
  return [...diff.wrong, ...different];
}

async function writeTo(path: string, chunks: AsyncIterable<Buffer>): Promise<{ bytes: number }> {
  await using file = await open(path, "wx");
  let bytes = 0;
  for await (const chunk of chunks) bytes += (await file.write(chunk)).bytesWritten;
  return { bytes };
}

const report = new Report();
const wrong = await quickstart(report);
if (wrong.length === 0) {
  report.end(
    "The diff is what was done, and the tree that was loaded is the tree that was saved, entry by entry.",
  );
} else {
  for (const line of wrong) console.log(line);
  report.end(`${wrong.length} differences`);
  process.exitCode = 1;
}
