import type { Digest } from "@strata/core";
import type { Removal } from "@strata/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { imageOf, sha256 } from "./support/image.ts";
import { Remote } from "./support/remote.ts";
import { drivers, type OpenedStore, openStore, Scratch, unmountAll } from "./support/store.ts";

let scratch: Scratch;
let opened: OpenedStore;
let remote: Remote;
/** Of the index that the image was pulled by. */
let index: string;

const name = "docker.io/library/app";

beforeEach(async () => {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"), drivers[0]);
  remote = new Remote(await imageOf([{ file: "text" }]));
  index = sha256(remote.index);
});

afterEach(async () => {
  await unmountAll(opened);
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

async function remove(reference: string): Promise<Removal["events"] | undefined> {
  const [removal] = await opened.store.removeImages([reference]);
  expect(removal?.error).toBeUndefined();
  return removal?.events;
}

async function digests(): Promise<{ digest: Digest; repoDigests: readonly string[] }[]> {
  return (await opened.store.images()).map(({ digest, repoDigests }) => ({ digest, repoDigests }));
}

it("an image that was pulled by an index is known by the index's digest", async () => {
  await opened.store.receive([remote.asIndexed([`${name}:1`])]);
  expect(await digests()).toEqual([{ digest: index, repoDigests: [`${name}@${index}`] }]);
  expect((await opened.store.resolve("app:1")).repoDigests).toEqual([`${name}@${index}`]);
  for (const digest of [index, sha256(remote.manifest)])
    expect((await opened.store.resolve(`app@${digest}`)).id).toBe(remote.image.id);
  expect(await remove("app:1")).toEqual([
    { untagged: "app:1" },
    { untagged: `app@${index}` },
    { deleted: remote.image.id },
    { deleted: remote.image.diffIds[0] },
  ]);
});

it.each(["index", "manifest"])("one that was pulled by the digest goes by that of the %s", async (kind) => {
  await opened.store.receive([remote.asIndexed([`${name}@${index}`])]);
  expect(await digests()).toEqual([{ digest: index, repoDigests: [`${name}@${index}`] }]);
  expect(await remove(`app@${kind === "index" ? index : sha256(remote.manifest)}`)).toEqual([
    { untagged: `app@${index}` },
    { deleted: remote.image.id },
    { deleted: remote.image.diffIds[0] },
  ]);
  expect(await digests()).toEqual([]);
});

it("another repository is not said to have the index", async () => {
  await opened.store.receive([remote.asIndexed([`${name}:1`])]);
  await opened.store.tag("app:1", "app:2");
  await opened.store.tag("app:1", "localhost:5000/app:1");
  expect((await opened.store.resolve("app:1")).repoDigests).toEqual([
    `${name}@${index}`,
    `localhost:5000/app@${sha256(remote.manifest)}`,
  ]);
  await remove("app:1");
  expect((await opened.store.resolve("app:2")).repoDigests[0]).toBe(`${name}@${index}`);
});

it("what has a tag is known by its digest, too, and goes with the tag", async () => {
  await opened.store.receive([remote.asIndexed([`${name}:1`])]);
  const byDigest = `${name}@${index}`;
  await opened.store.receive([remote.asIndexed([byDigest])]);
  await opened.store.tag("app:1", "app:2");
  expect(await remove("app:2")).toEqual([{ untagged: "app:2" }]);
  expect(await remove("app:1")).toContainEqual({ deleted: remote.image.id });
  expect(await digests()).toEqual([]);
});
