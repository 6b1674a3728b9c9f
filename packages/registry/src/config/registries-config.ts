import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { errnoCode, StrataError, toStrataError } from "@strata/core";
import { configHomeOf, type Environment } from "../environment.ts";
import { registryHost } from "../hosts.ts";
import type { RegistriesFile } from "./schema.ts";

/** A place that is asked before the registry itself. */
export interface Mirror {
  /** `https://mirror.example.com`: scheme, host and port. */
  readonly origin: URL;
  /** What goes before each repository's name there, without slashes at its ends: `hub-cache`; or nothing. */
  readonly prefix: string;
}

/** What `registries.json` says of one host. */
export interface RegistrySettings {
  readonly mirrors: readonly Mirror[];
  /** Whether plain HTTP is allowed. */
  readonly insecure: boolean;
  /** A file of PEM certificates that are trusted besides the system's. */
  readonly ca: string | undefined;
  /** PEM files for registries that want a client's certificate. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

const nothing: RegistrySettings = {
  mirrors: [],
  insecure: false,
  ca: undefined,
  cert: undefined,
  key: undefined,
};

/** What the user says of registries. Read once; a file that changes meanwhile is not looked at again. */
export class RegistriesConfig {
  /** The file it was read from, or where one would be looked for first. */
  readonly path: string;
  readonly #settings: ReadonlyMap<string, RegistrySettings>;

  private constructor(path: string, settings: ReadonlyMap<string, RegistrySettings>) {
    this.path = path;
    this.#settings = settings;
  }

  /**
   * Read `$STRATA_REGISTRIES`; without it, the first that exists of `$XDG_CONFIG_HOME/strata/registries.json` and
   * `/etc/strata/registries.json`. Without any file nothing is special.
   * @throws StrataError `NotFound` if `$STRATA_REGISTRIES` names no file; `InvalidArgument` with file and field if one is
   *   not what it must be
   */
  static async read(env: Environment = process.env): Promise<RegistriesConfig> {
    const named = env["STRATA_REGISTRIES"];
    const own = named || join(configHomeOf(env), "strata", "registries.json");
    for (const path of named ? [named] : [own, "/etc/strata/registries.json"]) {
      const bytes = await readIfThere(path, { must: path === named });
      if (bytes !== undefined) return new RegistriesConfig(path, toSettings(await parse(bytes, path), path));
    }
    return new RegistriesConfig(own, new Map());
  }

  /** What is said of a host, with its port: `docker.io`, `registry.lan:5000`. */
  of(host: string): RegistrySettings {
    return this.#settings.get(registryHost(host)) ?? nothing;
  }

  /** The same, for the host that a URL leads to; it may be listed with its scheme's port or without. */
  at(url: URL): RegistrySettings {
    const port = url.port || (url.protocol === "http:" ? "80" : "443");
    return (
      this.#settings.get(registryHost(url.host)) ??
      this.#settings.get(registryHost(`${url.hostname}:${port}`)) ??
      nothing
    );
  }
}

async function readIfThere(path: string, { must }: { must: boolean }): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errnoCode(error) === "ENOENT" && !must) return undefined;
    throw toStrataError(error, must ? `the file that STRATA_REGISTRIES names` : path);
  }
}

async function parse(bytes: Buffer, path: string): Promise<RegistriesFile> {
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString());
  } catch (cause) {
    throw new StrataError("InvalidArgument", `${path}: not valid JSON: ${messageOf(cause)}`, { cause });
  }
  // Most users have no such file, and zod takes longer to load than all else that a pull begins with.
  const { registriesSchema } = await import("./schema.ts");
  const result = registriesSchema.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const why = issue?.code === "invalid_key" ? issue.issues[0]?.message : issue?.message;
  const field = issue?.path.map((part) => (/[.:]/.test(String(part)) ? `"${String(part)}"` : String(part)));
  const where = field?.length ? `${path}: ${field.join(".")}` : path;
  throw new StrataError("InvalidArgument", `${where}: ${why ?? "not valid"}`);
}

function toSettings({ registries }: RegistriesFile, path: string): Map<string, RegistrySettings> {
  const settings = new Map<string, RegistrySettings>();
  const absolute = (file: string | undefined) => file && resolve(dirname(path), file);
  for (const [host, { mirrors = [], insecure = false, ca, cert, key }] of Object.entries(registries)) {
    settings.set(registryHost(host), {
      mirrors: mirrors.map(toMirror),
      insecure,
      ca: absolute(ca),
      cert: absolute(cert),
      key: absolute(key),
    });
  }
  // Who writes a mirror's URL with http:// has allowed just that.
  for (const { mirrors } of [...settings.values()]) {
    for (const { origin } of mirrors.filter((mirror) => mirror.origin.protocol === "http:")) {
      const host = registryHost(origin.host);
      settings.set(host, { ...(settings.get(host) ?? nothing), insecure: true });
    }
  }
  return settings;
}

function toMirror(text: string): Mirror {
  const url = new URL(text);
  return { origin: new URL(url.origin), prefix: url.pathname.replace(/^\/+|\/+$/g, "") };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
