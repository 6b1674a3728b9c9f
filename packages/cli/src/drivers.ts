import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { DriverOptions, StorageDriver } from "@strata/core";
import type { GlobalOptions } from "./command.ts";
import { rootOf } from "./context.ts";

/** What a driver's package exports. */
export type DriverFactory = (options: DriverOptions) => Promise<StorageDriver>;

/**
 * The drivers that are tried, in this order, where none is asked for. On btrfs, overlay2 comes first as elsewhere: a
 * container is ready without a commit of the file system, and layers can be unpacked side by side.
 */
export const defaultDrivers = ["overlay2", "btrfs", "vfs"] as const;

/** A driver's package, loaded. */
export interface LoadedDriver {
  readonly name: string;
  readonly factory: DriverFactory;
  /** The URL of its module, and the name that the factory has there, for other processes to import it by. */
  readonly module: { readonly url: string; readonly factory: string };
}

/** A driver, open, and why it was taken. */
export interface ChosenDriver {
  readonly driver: StorageDriver;
  readonly why: string;
}

/**
 * Open the driver that was asked for, else the one that this root was used with before, else the first that works
 * here.
 */
export async function openDriver(options: GlobalOptions): Promise<ChosenDriver> {
  const root = rootOf(options);
  const asked = options.driver ?? process.env["STRATA_DRIVER"];
  if (asked) return { driver: await open(asked, root, options), why: "asked for" };
  const before = await driverInUse(root);
  if (before) return { driver: await open(before, root, options), why: "this root was used with it before" };
  const { isStrataError } = await import("@strata/core");
  const reasons: string[] = [];
  for (const name of defaultDrivers) {
    try {
      return {
        driver: await open(name, root, options),
        why: reasons.join("; ") || "the best that works here",
      };
    } catch (error) {
      if (!isStrataError(error, "Unsupported")) throw error;
      reasons.push(error.message);
    }
  }
  throw new Error(`no storage driver works here: ${reasons.join("; ")}`);
}

/** The directory of a driver's state. */
export function driverRoot(root: string, name: string): string {
  return join(root, "drivers", name);
}

/** The one default driver that holds snapshots under `root`; undefined, if none does or several do. */
async function driverInUse(root: string): Promise<string | undefined> {
  const used: string[] = [];
  for (const name of defaultDrivers) {
    const held = await Promise.all(
      ["names", "keys"].map((kind) => readdir(join(driverRoot(root, name), kind)).catch(() => [])),
    );
    if (held.flat().length > 0) used.push(name);
  }
  return used.length === 1 ? used[0] : undefined;
}

async function open(asked: string, root: string, { durability }: GlobalOptions): Promise<StorageDriver> {
  const { name, factory } = await loadDriver(asked);
  return await factory({ root: driverRoot(root, name), ...(durability && { durability }) });
}

/**
 * Load a driver's package: `overlay2` is `@strata/driver-overlay2`; anything else is the name of a package that is
 * installed beside this one, or, with a `/` at its beginning or after dots, the path of a module.
 *
 * The module exports its factory under the driver's name (`overlay2`, in camel case), or as its only function.
 */
export async function loadDriver(asked: string): Promise<LoadedDriver> {
  const path = /^\.{0,2}\//.test(asked);
  const name = driverName(asked);
  const candidates = path ? [pathToFileURL(resolve(asked)).href] : [`@strata/driver-${asked}`, asked];
  for (const candidate of candidates) {
    if (!path && !isInstalled(candidate)) continue;
    const url = import.meta.resolve(candidate);
    const found = factoryOf(await import(url), name);
    if (!found) throw new Error(`driver ${asked}: ${candidate} exports no function ${camelCase(name)}`);
    const [exported, factory] = found;
    return { name, factory, module: { url, factory: exported } };
  }
  throw new Error(
    `driver ${asked} is not installed: npm install @strata/driver-${asked}, or give the name of a package or a path`,
  );
}

/** `@example/driver-foo` and `./drivers/foo.js` are both `foo`. */
function driverName(asked: string): string {
  const last = asked.split("/").at(-1) ?? asked;
  return last.replace(/^(?:strata-)?driver-/, "").replace(/\.[cm]?js$/, "");
}

/** Whether the package is there, as against being there and broken. */
export function isInstalled(name: string): boolean {
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? [];
  return paths.some((path) => existsSync(join(path, name, "package.json")));
}

/** The factory and the name that it is exported by. */
function factoryOf(
  module: Readonly<Record<string, unknown>>,
  name: string,
): readonly [string, DriverFactory] | undefined {
  const functions = Object.entries(module).flatMap(([exported, value]) =>
    isFactory(value) ? [[exported, value] as const] : [],
  );
  return (
    functions.find(([exported]) => exported === camelCase(name)) ??
    (functions.length === 1 ? functions[0] : undefined)
  );
}

function isFactory(value: unknown): value is DriverFactory {
  return typeof value === "function";
}

function camelCase(name: string): string {
  return name.replace(/[-_.](\w)/g, (_, letter: string) => letter.toUpperCase());
}
