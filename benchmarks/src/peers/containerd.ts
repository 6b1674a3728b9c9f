import { writeFileSync } from "node:fs";
import { Scratch } from "@strata/conformance/suite";
import { Resources } from "../resources.ts";
import { type CommandResult, run } from "./command.ts";
import { Daemon } from "./daemon.ts";
import type { ImagePeer, ImageSource } from "./image-peer.ts";
import type { RegistryPeer } from "./registry-peer.ts";

/** Not TMPDIR, which may be long: a socket's path has at most 107 bytes. Source: unix(7). */
export const runtimeParent = "/tmp";

/** A containerd with nothing of the host's in it, for `ctr` and for Docker; needs root. */
export class Containerd implements ImagePeer, RegistryPeer {
  readonly socket: string;
  readonly #resources: Resources;
  readonly #daemon: Daemon;
  readonly #signal: AbortSignal | undefined;

  private constructor(socket: string, resources: Resources, daemon: Daemon, signal: AbortSignal | undefined) {
    this.socket = socket;
    this.#resources = resources;
    this.#daemon = daemon;
    this.#signal = signal;
  }

  /** @param directory - decides the file system that its store is on */
  static async start(directory: string, signal?: AbortSignal): Promise<Containerd> {
    const resources = new Resources();
    try {
      const store = resources.use(new Scratch(directory));
      const runtime = resources.use(new Scratch(runtimeParent));
      const socket = runtime.join("socket");
      writeFileSync(runtime.join("config.toml"), configuration(store, runtime, socket));
      const daemon = await Daemon.start("containerd", ["--config", runtime.join("config.toml")], {
        log: runtime.join("log"),
        ask: () => run("ctr", ["--address", socket, "version"], { signal }),
        signal,
      });
      return new Containerd(socket, resources, resources.use(daemon), signal);
    } catch (error) {
      await resources[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Without content, an image is a name: so its layers are unpacked, as for a container. */
  load({ path }: ImageSource): Promise<CommandResult> {
    return this.#ctr("import", path);
  }

  save(reference: string, archive: string): Promise<CommandResult> {
    return this.#ctr("export", archive, reference);
  }

  images(): Promise<CommandResult> {
    return this.#ctr("ls");
  }

  remove(reference: string): Promise<CommandResult> {
    return this.#ctr("rm", reference);
  }

  /** Unpacks it too. */
  pull(reference: string): Promise<CommandResult> {
    return this.#ctr("pull", "--plain-http", reference);
  }

  push(reference: string): Promise<CommandResult> {
    return this.#ctr("push", "--plain-http", reference);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]();
  }

  async #ctr(...args: readonly string[]): Promise<CommandResult> {
    const all = ["--address", this.socket, "--namespace", "strata", "images", ...args];
    const result = await run("ctr", all, { signal: this.#signal });
    return { ...result, peakBytes: Math.max(result.peakBytes, this.#daemon.peakBytes) };
  }
}

/** Without the plug-ins that configure networks, and that make directories in /opt. */
function configuration(store: Scratch, runtime: Scratch, socket: string): string {
  return `version = 2
root = ${JSON.stringify(store.join("root"))}
state = ${JSON.stringify(runtime.join("state"))}
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = ${JSON.stringify(socket)}
[ttrpc]
  address = ${JSON.stringify(runtime.join("ttrpc"))}
`;
}
