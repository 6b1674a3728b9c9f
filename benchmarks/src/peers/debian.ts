import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.ts";

const suite = "bookworm";

/** The files that tell the host's own apt where its packages come from. */
function hostSources(): string[] {
  const parts = "/etc/apt/sources.list.d";
  const files = [
    "/etc/apt/sources.list",
    ...(existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []),
  ].filter((path) => /\.(list|sources)$/.test(path) && existsSync(path));
  if (files.length === 0) throw new Error(`no apt sources in /etc/apt: this needs a Debian host`);
  return files;
}

/** Fill the empty directory `root` with the smallest Debian that has apt. */
export async function bootstrap(root: string): Promise<void> {
  await mmdebstrap(root, "minbase");
}

/** Fill the empty directory `root` with these packages and what they depend on, unpacked but not set up. */
export async function unpackPackages(root: string, packages: readonly string[]): Promise<void> {
  await mmdebstrap(root, "extract", ...packages.map((name) => `--include=${name}`));
}

async function mmdebstrap(root: string, variant: string, ...options: readonly string[]): Promise<void> {
  const all = ["--quiet", `--variant=${variant}`, "--format=directory", ...options];
  await run("mmdebstrap", [...all, suite, root, ...hostSources()]);
}

/**
 * Install packages into `root` by the host's apt, which downloads with the host's own settings and runs only dpkg
 * inside the root.
 */
export async function installPackages(root: string, packages: readonly string[]): Promise<void> {
  const into = ["-o", `Dir=${root}`, "-o", "Dir::Etc=/etc/apt", "-o", `DPkg::Chroot-Directory=${root}`];
  const env = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" };
  await run("apt-get", [...into, "update"], { env });
  await run("apt-get", [...into, "install", "--yes", "--no-install-recommends", ...packages], { env });
  await run("apt-get", [...into, "clean"], { env });
  rmSync(join(root, "var/lib/apt/lists"), { recursive: true });
}
