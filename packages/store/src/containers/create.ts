import { randomBytes } from "node:crypto";
import { StrataError } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { readIndex } from "../content/image-index.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { failpoint } from "../failpoint.ts";
import { findImage } from "../images/find.ts";
import { resolveImage } from "../images/resolve.ts";
import { ensureUnpacked } from "../ingest/ensure-unpacked.ts";
import { removeActive } from "../ingest/reap.ts";
import { Staging } from "../ingest/staging.ts";
import { shortId } from "../short-id.ts";
import { assertContainerName, inventName } from "./names.ts";
import { type ContainerRecord, deleteContainer, listContainers, writeContainer } from "./records.ts";

export interface CreateContainerOptions {
  /** @defaultValue two words made up */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** In place of the image's `Cmd`. */
  readonly command?: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Make a container: a writable layer over an image. The commit point is the writing of its record.
 *
 * Cost: that of the driver's `prepare`, and one `syncfs(2)`. Layers that this driver does not have yet are unpacked first.
 * @throws StrataError `NotFound`, "No such image: x"
 * @throws StrataError `AlreadyExists`, if the name is taken
 * @throws StrataError `InvalidArgument`, if the name is none
 */
export async function createContainer(
  context: StoreContext,
  imageName: string,
  { name, labels = {}, command, signal }: CreateContainerOptions = {},
): Promise<ContainerRecord> {
  if (name !== undefined) assertContainerName(name);
  const image = await resolveImage(context, imageName);
  await ensureUnpacked(context, image, { ...(signal && { signal }) });

  const { driver, root } = context;
  const id = randomBytes(32).toString("hex");
  await using staging = await Staging.open(context, signal);
  await withStoreLock(root, async () => {
    chooseName(await listContainers(context), name);
    await staging.hold([], [id]);
    failpoint("container.held");
  });
  await driver.prepare(id, image.chainIds.at(-1), { ...(signal && { signal }) });
  try {
    failpoint("container.snapshot-made");
    // A record that a power cut leaves must have its snapshot.
    await driver.sync();
    return await withStoreLock(root, async () => {
      // Both may have changed while the snapshot was made.
      const { id: imageId } = findImage(await readIndex(root), image.id);
      const record: ContainerRecord = {
        id,
        name: chooseName(await listContainers(context), name),
        imageId,
        image: imageName,
        driver: driver.name,
        created: new Date().toISOString(),
        labels,
        command: [...(image.config.config?.Entrypoint ?? []), ...(command ?? image.config.config?.Cmd ?? [])],
      };
      try {
        await writeContainer(context, record);
      } catch (error) {
        // It may be there all the same, and be shown until its directory is lost.
        await deleteContainer(context, id).catch(() => {});
        throw error;
      }
      failpoint("container.record-written");
      return record;
    });
  } catch (error) {
    await removeActive(context, id).catch(() => {
      // The first error says more; what is left is garbage that gc recognises.
    });
    throw error;
  }
}

function chooseName(taken: readonly ContainerRecord[], name: string | undefined): string {
  if (name === undefined) return inventName((words) => taken.some((other) => other.name === words));
  const owner = taken.find((other) => other.name === name);
  if (owner === undefined) return name;
  throw new StrataError(
    "AlreadyExists",
    `Conflict. The container name "${name}" is already in use by container ${shortId(owner.id)}; remove it, or choose another name`,
  );
}
