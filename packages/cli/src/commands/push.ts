import type { PushedImage } from "@strata/registry";
import type { Reference, Store } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { addContentTrustOption } from "../options/content-trust.ts";
import { layerView } from "../progress/layer-view.ts";
import { pushing } from "../progress/wordings.ts";
import { withRegistries } from "../registry-access.ts";
import { withStore } from "../store-access.ts";
import { namesOneImage, say, type Transfer, type TransferOptions } from "../transfer.ts";

export function define(command: StrataCommand, context: Context): Command {
  command
    .usage("[OPTIONS] NAME[:TAG]")
    .argument("<name>", "[HOST/][USER/]NAME, with a tag")
    .option("-a, --all-tags", "push all tags that the repository has here")
    .option("-q, --quiet", "print the reference only");
  addContentTrustOption(command);
  return command
    .addHelpText(
      "after",
      "\nThe name says where to: 'strata tag IMAGE HOST/NAME:TAG' gives an image a further one.\n" +
        "A push that was interrupted goes on from there the next time.",
    )
    .examples("strata push localhost:5000/me/tools:v2", "strata push --all-tags localhost:5000/me/tools")
    .action(async (name: string, options: TransferOptions) => await pushNamed(context, name, options));
}

async function pushNamed(context: Context, name: string, options: TransferOptions): Promise<void> {
  const { defaultTag, parseName, parseReference } = await import("@strata/store");
  const given = parseName(name);
  const isNamed = namesOneImage(given, options);
  if (!options.allTags && !isNamed) await say({ context, options }, `Using default tag: ${defaultTag}`);
  await say({ context, options }, `The push refers to repository [${given.name}]`);
  const target = parseReference(name);
  await withStore(context, async (store) => {
    const references = options.allTags ? await tagsHere(store, given) : [target];
    await withRegistries(context, async (registries) => {
      for (const reference of references) await pushImage({ context, registries, options }, store, reference);
    });
  });
  if (options.quiet && !context.options.json)
    await context.stdout.line(options.allTags ? given.name : target.toString());
}

/** @throws Error, in docker's words, if there are none */
async function tagsHere(store: Store, { name, familiarName }: Reference): Promise<Reference[]> {
  const { parseReference } = await import("@strata/store");
  const images = await store.images();
  const here = images.flatMap(({ references }) => references).filter((text) => text.startsWith(`${name}:`));
  if (here.length === 0) throw new Error(`An image does not exist locally with the tag: ${familiarName}`);
  return here.sort().map(parseReference);
}

async function pushImage(work: Transfer, store: Store, reference: Reference): Promise<void> {
  const image = await send(work, store, reference);
  if (work.context.options.json) await work.context.stdout.jsonLine({ kind: "pushed", ...image });
  await say(work, `${reference.tag}: digest: ${image.digest} size: ${image.sizeBytes}`);
}

async function send(
  { context, registries, options }: Transfer,
  store: Store,
  reference: Reference,
): Promise<PushedImage> {
  const { push } = await import("@strata/registry");
  using progress = layerView(context, pushing, { quiet: options.quiet, resumable: "push" });
  return await push(store, registries, reference, {
    signal: context.signal,
    onProgress: (event) => progress.show({ kind: "layer", ...event }),
  });
}
