import type { PushedImage, Registries } from "@strata/registry";
import type { Reference, Store } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { namesOneImage } from "../options/all-tags.ts";
import { addContentTrustOption } from "../options/content-trust.ts";
import { layerView } from "../progress/layer-view.ts";
import { pushing } from "../progress/wordings.ts";
import { withRegistries } from "../registry-access.ts";
import { withStore } from "../store-access.ts";

interface Options {
  readonly allTags?: boolean;
  readonly quiet?: boolean;
}

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
    .action(async (name: string, options: Options) => await pushNamed(context, name, options));
}

async function pushNamed(context: Context, name: string, options: Options): Promise<void> {
  const { defaultTag, parseName, parseReference } = await import("@strata/store");
  const given = parseName(name);
  const { allTags, quiet } = options;
  const isNamed = namesOneImage(given, allTags);
  const say = async (line: string) => {
    if (!quiet && !context.options.json) await context.stdout.line(line);
  };
  if (!allTags && !isNamed) await say(`Using default tag: ${defaultTag}`);
  await say(`The push refers to repository [${given.name}]`);
  await withStore(context, async (store) => {
    const references = allTags ? await tagsHere(store, given) : [parseReference(name)];
    await withRegistries(context, async (registries) => {
      for (const reference of references) {
        const image = await pushImage({ context, store, registries, options }, reference);
        if (context.options.json)
          await context.stdout.write(`${JSON.stringify({ kind: "pushed", ...image })}\n`);
        await say(`${reference.tag}: digest: ${image.digest} size: ${image.sizeBytes}`);
      }
    });
  });
  if (quiet && !context.options.json)
    await context.stdout.line(allTags ? given.name : parseReference(name).toString());
}

/** @throws Error, in docker's words, if there are none */
async function tagsHere(store: Store, repository: Reference): Promise<Reference[]> {
  const { parseName } = await import("@strata/store");
  const images = await store.images();
  const tagged = images.flatMap(({ references }) => references.map(parseName));
  const here = tagged.filter(({ name }) => name === repository.name);
  if (here.length === 0)
    throw new Error(`An image does not exist locally with the tag: ${repository.familiarName}`);
  return here.sort((a, b) => (String(a) < String(b) ? -1 : 1));
}

interface Work {
  readonly context: Context;
  readonly store: Store;
  readonly registries: Registries;
  readonly options: Options;
}

async function pushImage(
  { context, store, registries, options }: Work,
  reference: Reference,
): Promise<PushedImage> {
  const { push } = await import("@strata/registry");
  using progress = layerView(context, pushing, { quiet: options.quiet });
  return await push(store, registries, reference, {
    signal: context.signal,
    onProgress: (event) => progress.show({ kind: "layer", ...event }),
  });
}
