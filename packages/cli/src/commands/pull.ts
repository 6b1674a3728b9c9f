import type { PulledImage } from "@strata/registry";
import type { Reference, Store } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import { type Context, rootOf } from "../context.ts";
import { codeOf, Failed, messageOf } from "../failure.ts";
import { addContentTrustOption } from "../options/content-trust.ts";
import { addLimitOptions, type LimitOptions, limitsOf } from "../options/limits.ts";
import { withRegistries } from "../registry-access.ts";
import { namesOneImage, say, type Transfer, type TransferOptions } from "../transfer.ts";

interface Options extends LimitOptions, TransferOptions {
  readonly platform?: string;
}

type Pull = Transfer<Options>;

export function define(command: StrataCommand, context: Context): Command {
  command
    .usage("[OPTIONS] NAME[:TAG|@DIGEST]")
    .argument("<name>", "[HOST/][USER/]NAME, with a tag or a digest")
    .option("-a, --all-tags", "pull all tagged images of the repository")
    .option("--platform <platform>", "take this image of an index: linux/arm64, linux/arm/v7")
    .option("-q, --quiet", "print the reference only");
  addContentTrustOption(command);
  addLimitOptions(command);
  return command
    .addHelpText(
      "after",
      "\nA pull that was interrupted leaves what has come: the next one goes on from there.\n" +
        "'strata tags NAME' lists what there is; 'strata login HOST' is for what is not public.",
    )
    .examples(
      "strata pull debian:12",
      "strata pull --platform linux/arm64 debian:12",
      "strata pull --all-tags localhost:5000/me/tools",
    )
    .action(async (name: string, options: Options) => await pullNamed(context, name, options));
}

async function pullNamed(context: Context, name: string, options: Options): Promise<void> {
  const { defaultTag, parseName, parseReference } = await import("@strata/store");
  const given = parseName(name);
  const isNamed = namesOneImage(given, options);
  await withRegistries(context, async (registries) => {
    const work = { context, registries, options };
    if (options.allTags) return await pullAll(work, given);
    if (!isNamed) await say(work, `Using default tag: ${defaultTag}`);
    await pullOne(work, parseReference(name));
  });
}

async function pullOne(work: Pull, reference: Reference): Promise<void> {
  const image = await pullImage(work, reference, (use) => withOpenStore(work, use));
  const { familiarName, tag, digest } = reference;
  await conclude(work, [image], familiarName + (digest ? `@${digest}` : `:${tag}`), image.reference);
}

/** Each in turn. One that cannot be had, since there is none for this platform, say, does not keep the rest from it. */
async function pullAll(work: Pull, repository: Reference): Promise<void> {
  const { allTags } = await import("@strata/registry");
  const { context, registries } = work;
  const images: PulledImage[] = [];
  const failures: string[] = [];
  await withOpenStore(work, async (store) => {
    for await (const reference of allTags(registries, repository, context.signal)) {
      try {
        images.push(await pullImage(work, reference, (use) => use(store)));
      } catch (error) {
        if (!isOfOneImage(error)) throw error;
        failures.push(`${reference.familiar()}: ${messageOf(error)}`);
      }
    }
  });
  if (images.length > 0) await conclude(work, images, repository.familiarName, repository.name);
  for (const failure of failures) await context.stderr.line(`Error: ${failure}`);
  if (failures.length > 0) throw new Failed();
  if (images.length === 0) throw new Error(`${repository.familiarName} has no tagged images`);
}

/** What is wrong with one image; what is wrong with the registry or the store will be so for the next one, too. */
function isOfOneImage(error: unknown): boolean {
  return ["NotFound", "InvalidArgument", "Unsupported"].includes(codeOf(error) ?? "");
}

type UseStore = <T>(use: (store: Store) => Promise<T>) => Promise<T>;

async function withOpenStore<T>({ context, options }: Pull, use: (store: Store) => Promise<T>): Promise<T> {
  // Most pulls find nothing new.
  const { withStore } = await import("../store-access.ts");
  return await withStore(context, async (store) => {
    const { warnOfLostOwners } = await import("../lost-owners.ts");
    await warnOfLostOwners(context, store.driver, options.ignoreChownErrors);
    return await use(store);
  }).catch(async (error: unknown) => {
    throw await withHint(error);
  });
}

/** What has been downloaded is kept for the next pull, which need not be what somebody without space wants. */
async function withHint(error: unknown): Promise<unknown> {
  if (codeOf(error) !== "NoSpace") return error;
  const { StrataError } = await import("@strata/core");
  const hint = "'strata gc' gives back what the downloads of this pull take";
  return new StrataError("NoSpace", `${messageOf(error)}; ${hint}`, { cause: error });
}

/** @param useStore - is called only if there is something to pull */
async function pullImage(work: Pull, reference: Reference, useStore: UseStore): Promise<PulledImage> {
  const { context, registries, options } = work;
  const { findCurrent, pull } = await import("@strata/registry");
  const { platform, quiet } = options;
  const wanted = { signal: context.signal, ...(platform !== undefined && { platform }) };
  const { tag, digest, name, repository } = reference;
  const heading = `${digest ? `${name}@${digest}` : tag}: Pulling from ${repository}`;
  const current = await findCurrent(rootOf(context.options), registries, reference, wanted);
  if (current !== undefined) await say(work, heading);
  const receive = async (store: Store): Promise<PulledImage> => {
    const { layerView } = await import("../progress/layer-view.ts");
    const { pulling } = await import("../progress/wordings.ts");
    using progress = layerView(context, pulling, { quiet, heading, resumable: "pull" });
    return await pull(store, registries, reference, {
      ...wanted,
      ...limitsOf(options),
      onProgress: (event) => progress.show(event),
    });
  };
  const image = current ?? (await useStore(receive));
  if (context.options.json) await context.stdout.jsonLine({ kind: "pulled", ...image });
  await say(work, `Digest: ${image.digest}`);
  return image;
}

/** What docker says in the end. */
async function conclude(
  work: Pull,
  images: readonly PulledImage[],
  what: string,
  reference: string,
): Promise<void> {
  const isNew = images.some((image) => image.isNew);
  await say(work, `Status: ${isNew ? "Downloaded newer image for" : "Image is up to date for"} ${what}`);
  if (!work.context.options.json) await work.context.stdout.line(reference);
}
