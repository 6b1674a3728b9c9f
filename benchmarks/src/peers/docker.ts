import { writeFileSync } from "node:fs";
import { Scratch } from "@strata/conformance/suite";
import { Resources } from "../resources.ts";
import { type CommandResult, run } from "./command.ts";
import { Containerd, runtimeParent } from "./containerd.ts";
import { Daemon } from "./daemon.ts";
import type { ImagePeer, ImageSource } from "./image-peer.ts";
import type { RegistryPeer } from "./registry-peer.ts";

/** A Docker with nothing of the host's in it and no network: `docker`, and a `dockerd` for it; needs root. */
export class Docker implements ImagePeer, RegistryPeer {
  readonly #resources: Resources;
  readonly #daemon: Daemon;
  readonly #ask: (...args: readonly string[]) => Promise<CommandResult>;

  private constructor(
    resources: Resources,
    daemon: Daemon,
    ask: (...args: readonly string[]) => Promise<CommandResult>,
  ) {
    this.#resources = resources;
    this.#daemon = daemon;
    this.#ask = ask;
  }

  /** @param directory - decides the file system that its store is on */
  static async start(directory: string, signal?: AbortSignal): Promise<Docker> {
    const resources = new Resources();
    try {
      const store = resources.use(new Scratch(directory));
      const runtime = resources.use(new Scratch(runtimeParent));
      // Its own would be configured by itself, and keep some of its state in /opt.
      const { socket } = resources.use(await Containerd.start(directory, signal));
      // Else it would make one in /etc/docker.
      const configuration = { "deprecated-key-path": runtime.join("key.json") };
      writeFileSync(runtime.join("daemon.json"), JSON.stringify(configuration));
      const host = `unix://${runtime.join("socket")}`;
      const env = {
        DOCKER_HOST: host,
        DOCKER_CONFIG: runtime.join("client"),
        DOCKER_CONTEXT: "",
        DOCKER_TLS_VERIFY: "",
        // The classic builder is the one of every version, and needs no plug-in.
        DOCKER_BUILDKIT: "0",
      };
      const ask = (...args: readonly string[]) => run("docker", args, { env, signal });
      const daemon = await Daemon.start(
        "dockerd",
        [
          ...["--config-file", runtime.join("daemon.json"), "--containerd", socket],
          ...["--data-root", store.join("data"), "--exec-root", runtime.join("exec")],
          ...["--host", host, "--pidfile", runtime.join("pid")],
          ...["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"],
          ...["--bridge=none", "--storage-driver=overlay2", "--log-level=warn"],
        ],
        { log: runtime.join("log"), ask: () => ask("version"), signal },
      );
      return new Docker(resources, resources.use(daemon), ask);
    } catch (error) {
      await resources[Symbol.asyncDispose]();
      throw error;
    }
  }

  load({ path }: ImageSource): Promise<CommandResult> {
    return this.run("load", "--quiet", "--input", path);
  }

  save(reference: string, archive: string): Promise<CommandResult> {
    return this.run("save", "--output", archive, reference);
  }

  images(): Promise<CommandResult> {
    return this.run("images");
  }

  remove(reference: string): Promise<CommandResult> {
    return this.run("rmi", reference);
  }

  /** From a registry on 127.0.0.1, which it takes without TLS unasked. */
  pull(reference: string): Promise<CommandResult> {
    return this.run("pull", "--quiet", reference);
  }

  push(reference: string): Promise<CommandResult> {
    return this.run("push", "--quiet", reference);
  }

  /** One of its commands. */
  async run(...args: readonly string[]): Promise<CommandResult> {
    const result = await this.#ask(...args);
    return { ...result, peakBytes: Math.max(result.peakBytes, this.#daemon.peakBytes) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]();
  }
}
