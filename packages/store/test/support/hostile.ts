import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { LoadOptions } from "@strata/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imageOf, layerOf, type TestImage } from "./image.ts";
import { type DockerItem, docker20, type OciOptions, oci } from "./layouts.ts";
import { drivers, listing, type OpenedStore, openStore, Scratch, treeOf } from "./store.ts";
import { type Member, tarOf } from "./tar.ts";

export interface Attack {
  readonly title: string;
  /** The archive: its members, or its bytes. */
  make(): Promise<readonly Member[] | Buffer>;
  readonly code: string;
  readonly says: RegExp;
  readonly options?: LoadOptions;
}

export const layers = [{ a: "1", "dir/b": "2".repeat(5000) }, { c: "3" }];
export const good = (): Promise<TestImage> => imageOf(layers);

/** An archive of docker's in which the member named by `which` is another. */
export async function withMember(which: RegExp, member: Partial<Member>): Promise<Member[]> {
  const members = docker20([{ image: await good(), tags: ["hostile:1"] }]);
  return members.map((one) => (which.test(one.name) ? { ...one, ...member } : one));
}

export async function withList(change: (items: DockerItem[]) => unknown): Promise<Member[]> {
  return docker20([{ image: await good(), tags: ["hostile:1"] }], change);
}

export async function withItem(change: object): Promise<Member[]> {
  return await withList(([item]) => [{ ...item, ...change }]);
}

export async function withConfig(change: object): Promise<Member[]> {
  const document = JSON.parse((await good()).config.toString());
  return await withMember(/^[0-9a-f]{64}\.json$/, { content: JSON.stringify({ ...document, ...change }) });
}

export async function withOci(options: OciOptions): Promise<Member[]> {
  return oci([{ image: await good(), tags: ["hostile:1"] }], options);
}

/** An archive of OCI's in which blobs are changed, though not their names. */
export async function withBlobs(
  change: (content: Buffer, json: string) => Uint8Array | undefined,
): Promise<Member[]> {
  return (await withOci({})).flatMap((member) => {
    if (!member.name.startsWith("blobs/")) return [member];
    const content = Buffer.from(member.content ?? "");
    const changed = change(content, content.toString());
    return changed ? [{ ...member, content: changed }] : [];
  });
}

export function link(linkname: string, type: "symlink" | "link" = "symlink"): Partial<Member> {
  return { header: { name: "layer.tar", type, linkname } };
}

export async function withLayer(...headers: Parameters<typeof layerOf>): Promise<Member[]> {
  return docker20([{ image: await imageOf([await layerOf(...headers)]), tags: ["hostile:1"] }]);
}

export const invalid = "InvalidArgument";
export const firstLayer = /layer\.tar$/;

/** Test that a store refuses such archives, from a file and from a stream, and stays as it was. */
export function refuses(attacks: readonly Attack[]): void {
  describe.each(drivers)("under %s, load refuses", (driver) => {
    let scratch: Scratch;
    let opened: OpenedStore;

    beforeAll(async () => {
      scratch = await Scratch.make();
      opened = await openStore(scratch.join("store"), driver);
      await writeFile(scratch.join("victim"), "untouched");
      // An image that is in the store before, and must stay.
      const other = docker20([{ image: await imageOf([{ other: "1" }]), tags: ["other:1"] }]);
      await writeFile(scratch.join("archive"), await tarOf(other));
      await opened.store.load(scratch.join("archive"));
    });

    afterAll(async () => {
      await opened[Symbol.asyncDispose]();
      await scratch[Symbol.asyncDispose]();
    });

    it.each(attacks)("$title, and leaves nothing behind", async ({ make, code, says, options }) => {
      const made = await make();
      await writeFile(scratch.join("archive"), Buffer.isBuffer(made) ? made : await tarOf(made));
      const before = await listing(scratch.path);
      for (const source of [scratch.join("archive"), createReadStream(scratch.join("archive"))]) {
        await expect(opened.store.load(source, options)).rejects.toMatchObject({
          code,
          message: expect.stringMatching(says),
        });
        await opened.driver.cleanup();
        expect(await listing(scratch.path)).toEqual(before);
      }
      expect(await treeOf(opened, "other:1")).toEqual({ other: "1" });
    });
  });
}
