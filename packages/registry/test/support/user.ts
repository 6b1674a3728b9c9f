import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Scratch } from "@strata/conformance/suite";
import { Registries, type RegistriesOptions, type RegistryClient } from "@strata/registry";
import { parseReference } from "@strata/store";

export interface OpenUserOptions extends RegistriesOptions {
  /** `registries.json`: the settings of registries by host. */
  readonly registries?: Readonly<Record<string, unknown>>;
}

/** Somebody with a home directory of their own: files of credentials and settings, helpers in the PATH. */
export class User {
  readonly env: Readonly<Record<string, string>>;
  readonly notices: string[] = [];
  readonly #scratch: Scratch;

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
    const home = scratch.join("home");
    mkdirSync(`${home}/bin`, { recursive: true });
    this.env = {
      HOME: home,
      PATH: `${home}/bin:${process.env["PATH"]}`,
      // Wherever else the host has some.
      XDG_RUNTIME_DIR: `${home}/run`,
      STRATA_REGISTRIES: scratch.join("registries.json"),
    };
    this.configure({});
  }

  /** Write a file of the home directory. @returns its path */
  write(name: string, content: unknown): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  }

  path(name: string): string {
    return `${this.env["HOME"]}/${name}`;
  }

  /** Write `registries.json`: the settings of registries by host. */
  configure(registries: Readonly<Record<string, unknown>>): void {
    writeFileSync(this.#scratch.join("registries.json"), JSON.stringify({ registries }));
  }

  /** docker's config.json with passwords, `user:password` by host. */
  logIn(logins: Readonly<Record<string, string>>): void {
    const auths = Object.entries(logins).map(([host, login]) => [host, { auth: btoa(login) }]);
    this.write(".docker/config.json", { auths: Object.fromEntries(auths) });
  }

  /** A program `docker-credential-<name>`, in the shell's language, after which the command is `$1`. */
  addHelper(name: string, script: string): void {
    chmodSync(this.write(`bin/docker-credential-${name}`, `#!/bin/sh\n${script}\n`), 0o755);
  }

  /** All registries as this user sees them; retries come at once unless said otherwise. */
  async open({ registries = {}, ...options }: OpenUserOptions = {}): Promise<Registries> {
    this.configure(registries);
    return await Registries.open({
      env: this.env,
      firstDelayMs: 1,
      onNotice: (message) => this.notices.push(message),
      ...options,
    });
  }

  /** The repository `app` of a host, as this user sees it. */
  async openApp(host: string, options: OpenUserOptions = {}): Promise<RegistryClient & AsyncDisposable> {
    const registries = await this.open(options);
    return Object.assign(registries.repository(parseReference(`${host}/app`)), {
      [Symbol.asyncDispose]: () => registries.close(),
    });
  }
}
