import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { ImageForm, ImagePeer, ImagePeerKind } from "../../peers/image-peer.ts";
import { imagePeers } from "../../peers/image-peers.ts";
import type { Operation, Subject, Trial, TrialContext, Work } from "../../workload.ts";
import { StrataStore } from "../strata-store.ts";
import { openTrial } from "../trial.ts";
import { imageSpec, startOfNode } from "../whole-image.ts";
import { manyImages, type StoredImage, sourceOf, storedImage } from "./inputs.ts";

/** Into a store that is new and empty each time. */
export function loadTrial(context: TrialContext): Promise<Trial> {
  const { compression, durable } = context.parameters;
  if (compression !== "none" && compression !== "gzip" && compression !== "zstd")
    throw new TypeError(`no layers are compressed by ${compression}`);
  return openTrial(async (held) => {
    const image = await storedImage(context, imageSpec(context.scale, compression));
    const source = sourceOf(image, formFor(context, compression === "none" ? "archive" : "layout"));
    let empty: ImagePeer;
    const load: Operation = {
      name: "load",
      work: workOf(image),
      before: async () => {
        empty = held.use(await openStore(context, durable === true));
      },
      run: () => empty.load(source),
      after: () => held[Symbol.asyncDispose](),
    };
    return [load];
  });
}

export function saveTrial(context: TrialContext): Promise<Trial> {
  return openTrial(async (held) => {
    const image = await plainImage(context);
    const store = held.use(await openStore(context));
    await store.load(sourceOf(image, "archive"));
    const archive = join(context.directory, "saved.tar");
    const save: Operation = {
      name: "save",
      work: workOf(image),
      run: () => store.save(image.reference, archive),
      after: () => rm(archive),
    };
    return [save];
  });
}

/** Beside them, what it costs to start Node: no command of Strata's can be faster. */
export function listTrial(context: TrialContext): Promise<Trial> {
  const { subject, parameters } = context;
  return openTrial(async (held) => {
    if (subject.id === "node") return [startOfNode("images", context)];
    const store = held.use(await openStore(context));
    await store.load(await manyImages(context, Number(parameters["images"])));
    return [{ name: "images", run: () => store.images() }];
  });
}

export function removeTrial(context: TrialContext): Promise<Trial> {
  return openTrial(async (held) => {
    const image = await plainImage(context);
    let full: ImagePeer;
    const remove: Operation = {
      name: "rmi",
      work: workOf(image),
      before: async () => {
        full = held.use(await openStore(context));
        await full.load(sourceOf(image, "archive"));
      },
      run: () => full.remove(image.reference),
      after: () => held[Symbol.asyncDispose](),
    };
    return [remove];
  });
}

/** What maintenance costs where there is nothing to be done. Strata's alone. */
export function maintainTrial(context: TrialContext): Promise<Trial> {
  const { subject } = context;
  if (subject.kind === "peer") throw new TypeError(`${subject.id} has no such commands`);
  return openTrial(async (held) => {
    const image = await plainImage(context);
    const store = held.use(new StrataStore(context, subject, false));
    await store.load(sourceOf(image, "archive"));
    const work = workOf(image);
    return [
      { name: "check", work, run: () => store.check() },
      { name: "check --quick", work, run: () => store.check("--quick") },
      { name: "gc", work, run: () => store.collectGarbage() },
    ];
  });
}

function openStore(context: TrialContext, durable = false): Promise<ImagePeer> {
  const { subject, directory, signal } = context;
  if (subject.kind === "driver") return Promise.resolve(new StrataStore(context, subject, durable));
  return kindOf(subject).open(directory, signal);
}

function kindOf({ id }: Subject): ImagePeerKind {
  const kind = imagePeers.get(id);
  if (kind === undefined) throw new TypeError(`${id} keeps no images`);
  return kind;
}

/** The form that is wanted, if the subject reads it. */
function formFor({ subject }: TrialContext, wanted: ImageForm): ImageForm {
  if (subject.kind === "driver") return wanted;
  const { reads } = kindOf(subject);
  return reads.find((form) => form === wanted) ?? reads[0] ?? wanted;
}

function plainImage(context: TrialContext): Promise<StoredImage> {
  return storedImage(context, imageSpec(context.scale, "none"));
}

function workOf({ bytes, files }: StoredImage): Work {
  return { bytes, files };
}
