import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Capabilities, makeDirectories } from "@strata/core";
import { isInstalled, loadDriver } from "./drivers.ts";
import { messageOf } from "./failure.ts";

/** A way of keeping layers that docker's documents name, and whether it can be used under this root. */
export interface Engine {
  readonly name: string;
  readonly usable: boolean;
  /** Why not, or with what limits. */
  readonly reason: string;
  /** Of a driver that is installed and works. */
  readonly capabilities?: Capabilities;
}

/** What a kernel needs for each, beside a driver; Linux has no windowsfilter. */
const needs: Readonly<Record<string, (root: RootFacts) => Promise<string | undefined>>> = {
  overlay2: needsFileSystem("overlay"),
  vfs: async () => undefined,
  btrfs: async (root) =>
    (await needsFileSystem("btrfs")()) ??
    (root.fstype === "btrfs" ? undefined : `${root.path} is on ${root.fstype}, not on btrfs`),
  zfs: needsFileSystem("zfs"),
  devicemapper: async () =>
    (await exists("/dev/mapper/control"))
      ? undefined
      : "the kernel has no device-mapper (/dev/mapper/control)",
  aufs: needsFileSystem("aufs"),
  windowsfilter: async () => `needs Windows; this is ${process.platform}`,
};

export interface RootFacts {
  readonly path: string;
  /** As mount(8) names it: `ext4`. */
  readonly fstype: string;
}

/**
 * Find out which engines work under a root. Each installed driver is opened for it in a temporary directory there,
 * since much depends on the file system.
 */
export async function listEngines(root: RootFacts): Promise<Engine[]> {
  const engines: Engine[] = [];
  for (const [name, need] of Object.entries(needs)) engines.push(await probe(name, root, await need(root)));
  return engines;
}

async function probe(name: string, root: RootFacts, lacking: string | undefined): Promise<Engine> {
  if (!isInstalled(`@strata/driver-${name}`)) {
    const noDriver =
      lacking === undefined ? `Strata has no driver for it (@strata/driver-${name})` : undefined;
    return { name, usable: false, reason: noDriver ?? lacking ?? "" };
  }
  makeDirectories(root.path);
  const place = await mkdtemp(join(root.path, `.probe-${name}-`));
  try {
    const { factory } = await loadDriver(name);
    await using driver = await factory({ root: join(place, "driver"), durability: "none" });
    const { capabilities } = driver;
    return { name, usable: true, reason: summaryOf(capabilities), capabilities };
  } catch (error) {
    // The message is about the root, not about a directory that is gone again.
    const reason = messageOf(error).replaceAll(join(place, "driver"), root.path);
    return { name, usable: false, reason };
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

function summaryOf({ sharesParent, maxDepth }: Capabilities): string {
  return `${sharesParent.supported ? "shares parents' files" : "copies parents' files"}, up to ${maxDepth} layers`;
}

function needsFileSystem(name: string): () => Promise<string | undefined> {
  return async () => {
    const known = await readFile("/proc/filesystems", "utf8").catch(() => "");
    return known.split("\n").some((line) => line.split("\t").at(-1) === name)
      ? undefined
      : `the kernel has no ${name}, or has not loaded it (/proc/filesystems)`;
  };
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
