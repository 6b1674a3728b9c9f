import { readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Scratch } from "@strata/conformance/suite";
import { Resources } from "../resources.ts";
import { Daemon } from "./daemon.ts";

/** Debian's `docker-registry` on a free port of 127.0.0.1: plain HTTP, and anybody may do anything. */
export class DockerRegistry implements AsyncDisposable {
  /** As a reference names it: `127.0.0.1:41234`. */
  readonly host: string;
  readonly #log: string;
  readonly #resources: Resources;

  private constructor(host: string, log: string, resources: Resources) {
    this.host = host;
    this.#log = log;
    this.#resources = resources;
  }

  /**
   * @param storage - the directory that it keeps what it has in; nothing of that is kept in its memory, so what is
   * there may change meanwhile
   */
  static async start(storage: string, signal?: AbortSignal): Promise<DockerRegistry> {
    const resources = new Resources();
    try {
      const runtime = resources.use(new Scratch());
      const configuration = runtime.join("config.yml");
      // JSON is YAML.
      writeFileSync(configuration, JSON.stringify(configurationOf(storage)));
      const log = runtime.join("log");
      let host = "";
      const ask = async () => {
        host = listeningAddress(readFileSync(log, "utf8"));
      };
      resources.use(await Daemon.start("docker-registry", ["serve", configuration], { log, ask, signal }));
      return new DockerRegistry(host, log, resources);
    } catch (error) {
      await resources[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** How many requests it has been sent so far. */
  async requests(): Promise<number> {
    const log = await readFile(this.#log, "utf8");
    return log.match(/"[A-Z]+ \/v2\/\S* HTTP\/1\.1" \d+ /g)?.length ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]();
  }
}

/** @see https://distribution.github.io/distribution/about/configuration/ */
function configurationOf(storage: string): unknown {
  return {
    version: "0.1",
    // It says at this level which port it has found.
    log: { level: "info", accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: storage } },
    http: { addr: "127.0.0.1:0", secret: "of a benchmark" },
  };
}

function listeningAddress(log: string): string {
  const address = /listening on ([\d.]+:\d+)/.exec(log)?.[1];
  if (address === undefined) throw new Error("it does not listen yet");
  return address;
}
