import type { Store } from "@strata/store";
import { type Command, Option } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { Failed } from "../failure.ts";
import { withStore } from "../store-access.ts";
import { Template } from "../template/template.ts";

type ObjectType = "image" | "container";

interface Options {
  readonly format?: string;
  readonly type?: ObjectType;
}

export function define(command: StrataCommand, context: Context): Command {
  const group = command.parent?.name();
  const only = group === "image" || group === "container" ? group : undefined;
  command
    .usage(
      `[OPTIONS] ${only === undefined ? "NAME|ID [NAME|ID...]" : `${only.toUpperCase()} [${only.toUpperCase()}...]`}`,
    )
    .argument("<names...>", `names or IDs of ${only === undefined ? "containers and images" : `${only}s`}`)
    .option("-f, --format <template>", "'json', or a Go template for each object");
  if (only === undefined)
    command.addOption(new Option("--type <type>", "look for this type only").choices(["image", "container"]));
  return command
    .examples(
      `${command.path} ${only === "container" ? "web" : "debian:12"}`,
      only === "container"
        ? `${command.path} -f '{{.GraphDriver.Data.UpperDir}}' web`
        : `${command.path} -f '{{range .RootFS.Layers}}{{println .}}{{end}}' debian:12`,
    )
    .action(async (names: string[], options: Options) => {
      await withStore(
        context,
        async (store) => await inspect(context, store, names, { type: only, ...options }),
      );
    });
}

async function inspect(
  context: Context,
  store: Store,
  names: readonly string[],
  { format, type }: { format?: string; type: ObjectType | undefined },
): Promise<void> {
  const template = format === undefined || format === "json" ? undefined : new Template(format);
  const found: object[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const object = await findObject(store, name, type);
    if (object) found.push(object);
    else missing.push(name);
  }
  if (template) for (const object of found) await context.stdout.line(template.execute(object));
  else if (format === "json")
    for (const object of found) await context.stdout.write(`${JSON.stringify(object)}\n`);
  else await context.stdout.write(`${JSON.stringify(found, undefined, 4)}\n`);
  for (const name of missing) await context.stderr.line(`Error: No such ${type ?? "object"}: ${name}`);
  if (missing.length > 0) throw new Failed();
}

/** A container of that name goes before an image. */
async function findObject(
  store: Store,
  name: string,
  type: ObjectType | undefined,
): Promise<object | undefined> {
  const { isStrataError } = await import("@strata/core");
  const finders = {
    container: async () => await store.inspectContainer(name),
    image: async () => await store.inspect(name),
  };
  for (const each of ["container", "image"] as const) {
    if (type !== undefined && type !== each) continue;
    try {
      return await finders[each]();
    } catch (error) {
      if (!isStrataError(error, "NotFound")) throw error;
    }
  }
  return undefined;
}
