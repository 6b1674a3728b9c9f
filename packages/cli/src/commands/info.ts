import { release } from "node:os";
import type { Capabilities, Capability } from "@strata/core";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import { type Context, rootOf } from "../context.ts";
import { openDriver } from "../drivers.ts";
import { type Engine, listEngines } from "../engines.ts";
import { fileSystemOf } from "../file-system.ts";
import { Template } from "../template/template.ts";
import { version } from "../version.ts";

interface Facts {
  readonly Root: string;
  readonly FileSystem: string;
  readonly Images: number;
  readonly Containers: number;
  readonly Driver: string;
  readonly DriverReason: string;
  readonly Capabilities: Capabilities;
  readonly StorageEngines: readonly Engine[];
  readonly KernelVersion: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly NodeVersion: string;
  readonly Version: string;
}

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS]")
    .option("-f, --format <template>", "'json', or a Go template")
    .examples("strata info", "strata info -f '{{.Driver}} on {{.FileSystem}}'")
    .action(async ({ format }: { format?: string }) => {
      const template = format === undefined || format === "json" ? undefined : new Template(format);
      const facts = await collect(context);
      if (template) return await context.stdout.line(template.execute(facts));
      if (context.options.json || format === "json") return await context.stdout.json(facts);
      await context.stdout.lines(describe(facts));
    });
}

async function collect({ options }: Context): Promise<Facts> {
  const { Store } = await import("@strata/store");
  const root = rootOf(options);
  const { driver, why } = await openDriver(options);
  await using _closed = driver;
  await using store = await Store.open({ root, driver });
  const fstype = await fileSystemOf(root);
  return {
    Root: root,
    FileSystem: fstype,
    Images: (await store.images({ all: true })).length,
    Containers: (await store.containers()).length,
    Driver: driver.name,
    DriverReason: why,
    Capabilities: driver.capabilities,
    StorageEngines: await listEngines({ path: root, fstype }),
    KernelVersion: release(),
    OSType: process.platform,
    Architecture: process.arch,
    NodeVersion: process.versions.node,
    Version: version,
  };
}

function describe(facts: Facts): string[] {
  const { maxDepth, ...capabilities } = facts.Capabilities;
  return [
    `Root: ${facts.Root}`,
    `File system: ${facts.FileSystem}`,
    `Images: ${facts.Images}`,
    `Containers: ${facts.Containers}`,
    `Storage driver: ${facts.Driver} (${facts.DriverReason})`,
    ...Object.entries(capabilities).map(([name, capability]) => describeCapability(name, capability)),
    ` ${"maxDepth".padEnd(nameWidth)} ${maxDepth}`,
    "Storage engines:",
    ...facts.StorageEngines.map(
      ({ name, usable, reason }) =>
        ` ${name.padEnd(nameWidth)} ${usable ? "usable" : "not usable"}: ${reason}`,
    ),
    `Kernel: ${facts.KernelVersion}`,
    `OS/Arch: ${facts.OSType}/${facts.Architecture}`,
    `Node.js: ${facts.NodeVersion}`,
    `Version: ${facts.Version}`,
  ];
}

const nameWidth = 21;

function describeCapability(name: string, { supported, reason }: Capability): string {
  return ` ${name.padEnd(nameWidth)} ${supported ? "yes" : "no"} (${reason})`;
}
