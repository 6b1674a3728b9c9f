import { fileURLToPath } from "node:url";
import { run } from "@strata/benchmarks";
import type { Scratch } from "@strata/conformance/suite";

/** The drivers that every image is loaded with. */
export const drivers = ["overlay2", "vfs"] as const;
export type Driver = (typeof drivers)[number];

const command = fileURLToPath(new URL("../../../bin/strata.js", import.meta.url));

/** A store, used through the command as a person would. */
export class Strata {
  readonly root: string;
  readonly driver: Driver;
  readonly env: Readonly<Record<string, string>>;

  /** @param env - of whoever runs it: where logins and settings of registries are */
  constructor(scratch: Scratch, driver: Driver, name = "store", env: Readonly<Record<string, string>> = {}) {
    this.root = scratch.join(`${name}-${driver}`);
    this.driver = driver;
    this.env = env;
  }

  /** What node is run with. */
  argv(args: readonly string[]): string[] {
    return [command, "--root", this.root, "--driver", this.driver, ...args];
  }

  /** @returns what the command printed, without the line's end */
  async run(...args: readonly string[]): Promise<string> {
    return (await run(process.execPath, this.argv(args), { env: this.env })).stdout.trimEnd();
  }

  /** Load an archive file or an OCI layout directory. */
  async load(path: string): Promise<string> {
    return this.run("load", "--quiet", "--input", path);
  }

  /** The path of a new container's root file system; mounted until the scratch directory goes. */
  async tree(image: string): Promise<string> {
    return this.run("mount", await this.run("create", image));
  }

  async imageId(image: string): Promise<string> {
    return this.run("inspect", "--format", "{{.Id}}", image);
  }

  /** What a registry that has the image calls it. */
  async digest(image: string): Promise<string> {
    return this.run("images", "--format", "{{.Digest}}", image);
  }
}
