import { isStrataError } from "@strata/core";
import type { Reference, Store, UploadNote } from "@strata/store";
import type { RegistryClient } from "../api/registry-client.ts";
import type { Upload } from "../api/uploads.ts";
import { BlobUpload, type OpenBlob } from "./blob-upload.ts";
import type { MountSources } from "./mount-sources.ts";
import type { PushReport } from "./push-report.ts";

export interface PushBlobOptions {
  readonly store: Store;
  readonly client: RegistryClient;
  /** Where the image goes. */
  readonly target: Reference;
  readonly sources: MountSources;
  readonly partBytes: number;
  /** Of a layer; of other blobs nothing is told. */
  readonly report: PushReport | undefined;
  readonly signal: AbortSignal;
}

/** Have a registry have a blob: it has it, or mounts it from another repository, or is sent it. */
export async function pushBlob(blob: OpenBlob, options: PushBlobOptions): Promise<void> {
  const { store, client, target, partBytes, report, signal } = options;
  const { registry, repository, familiarName } = target;
  // First of all: where somebody else is sending it, it is there afterwards.
  await using note = await store.holdUpload({ registry, repository, digest: blob.digest }, { signal });
  if ((await client.headBlob(blob.digest, { signal })) !== undefined) {
    note.forget();
    report?.done("exists");
    return;
  }
  const begun = (await goOn(note, blob, options)) ?? (await mount(blob, options));
  if (typeof begun === "string") {
    note.forget();
    report?.done("mounted", begun);
    return;
  }
  if (begun !== undefined) await note.save(begun.location);
  report?.sent(begun?.offset ?? 0);
  await new BlobUpload({
    client,
    blob,
    note,
    begun,
    partBytes,
    what: `blob ${blob.digest} of ${familiarName}`,
    signal,
    onBytes: (bytes) => report?.sent(bytes),
  }).run();
  report?.done("pushed");
}

/** The upload that was noted, if the registry still has it. */
async function goOn(
  note: UploadNote,
  { size }: OpenBlob,
  { client, signal }: PushBlobOptions,
): Promise<Upload | undefined> {
  if (note.location === undefined) return undefined;
  try {
    const upload = await client.resumeUpload(note.location, signal);
    return upload !== undefined && upload.offset <= size ? upload : undefined;
  } catch (error) {
    signal.throwIfAborted();
    // Whatever is wrong with it, a new one will do; if the registry itself is in trouble, that will tell.
    if (isStrataError(error)) return undefined;
    throw error;
  }
}

/** @returns the repository that it was mounted from; or an upload, if a registry began one in its place */
async function mount(
  { digest }: OpenBlob,
  { client, sources, signal }: PushBlobOptions,
): Promise<Upload | string | undefined> {
  let begun: Upload | undefined;
  for (const from of await sources.of(digest)) {
    const upload = await client.mountBlob(digest, from, signal);
    if (begun !== undefined) await cancel(begun, signal);
    if (upload === undefined) return from;
    begun = upload;
  }
  return begun;
}

/** One that cannot be cancelled the registry will forget by itself. */
async function cancel(upload: Upload, signal: AbortSignal): Promise<void> {
  await upload.cancel(signal).catch((error: unknown) => {
    if (!isStrataError(error)) throw error;
  });
}
