import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoCode, fsyncPath, makeDirectories, StrataError, writeFileAtomic } from "@strata/core";
import { failpoint } from "../failpoint.ts";
import type { StoreContext } from "./context.ts";
import { indexBytes } from "./image-index.ts";
import { blobsDir, containersDir, indexFile, ingestDir, layoutFile } from "./paths.ts";
import { withStoreLock } from "./store-lock.ts";

/** The content of every `oci-layout` file. @see OCI image-spec, image-layout.md */
export const layoutVersion = '{"imageLayoutVersion":"1.0.0"}';

/**
 * Make sure that `root` is a store, making an empty one of what is not there.
 * @throws StrataError `InvalidArgument`, if it is an image layout of another version
 */
export async function openLayout({ root, durable }: Pick<StoreContext, "root" | "durable">): Promise<void> {
  if ((await isLayout(root)) && existsSync(ingestDir(root))) return;
  for (const dir of [blobsDir(root), containersDir(root), ingestDir(root)]) makeDirectories(dir);
  failpoint("layout.directories-made");
  await withStoreLock(root, async () => {
    if (durable) await fsyncPath(dirname(blobsDir(root)));
    if (!existsSync(indexFile(root))) await writeFileAtomic(indexFile(root), indexBytes([]), { durable });
    // Last, since it is what says that all the rest is there.
    await writeFileAtomic(layoutFile(root), layoutVersion, { durable });
  });
}

async function isLayout(root: string): Promise<boolean> {
  let text: string;
  try {
    text = await readFile(layoutFile(root), "utf8");
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return false;
    throw error;
  }
  if (/"imageLayoutVersion"\s*:\s*"1\./.test(text)) return true;
  throw new StrataError(
    "InvalidArgument",
    `${layoutFile(root)}: not an OCI image layout of version 1, so not a store of this program; choose another root`,
  );
}
