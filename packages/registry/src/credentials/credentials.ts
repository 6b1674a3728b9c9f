import { realpath } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { attempt, errnoCode, FileLock, isStrataError, makeDirectories, writeFileAtomic } from "@strata/core";
import { defaultRegistry } from "@strata/store";
import { configHomeOf, type Environment, homeOf } from "../environment.ts";
import { hubServer, registryHost } from "../hosts.ts";
import { asObject, type JsonObject } from "../json.ts";
import type { AuthFile } from "./auth-file.ts";
import type { Credential } from "./credential.ts";

export interface FindOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of a file or helper that cannot be read; the next place is asked then. */
  readonly onNotice?: ((message: string) => void) | undefined;
}

/**
 * Where credentials are kept: docker's own file and helpers, so that a login with docker serves here and the other
 * way round; podman's files are read too.
 *
 * {@link find} asks in this order, each place for a helper of the registry (`credHelpers`), else the helper of all
 * (`credsStore`), else its `auths`:
 * 1. `$DOCKER_CONFIG/config.json`, or `~/.docker/config.json`
 * 2. `$REGISTRY_AUTH_FILE`; without it `$XDG_RUNTIME_DIR/containers/auth.json`, `~/.config/containers/auth.json`
 */
export class Credentials {
  readonly #env: Environment;

  /** @param env - names the files, and is what helpers run with */
  constructor(env: Environment = process.env) {
    this.#env = env;
  }

  /** The file that {@link save} writes. */
  get path(): string {
    return join(this.#env["DOCKER_CONFIG"] || join(homeOf(this.#env), ".docker"), "config.json");
  }

  /**
   * The credential for a repository of a registry, or for the registry as a whole.
   * @param registry - as references name it: `docker.io`, `localhost:5000`
   * @returns undefined if nobody has one
   */
  async find(
    registry: string,
    repository?: string,
    options: FindOptions = {},
  ): Promise<Credential | undefined> {
    for (const path of [this.path, ...podmanPaths(this.#env)]) {
      try {
        const found = await this.#findIn(path, registryHost(registry), repository, options);
        if (found !== undefined) return found;
      } catch (error) {
        options.signal?.throwIfAborted();
        // Whoever pulls a public image shall not need to mend a helper first.
        if (!isStrataError(error)) throw error;
        options.onNotice?.(error.message);
      }
    }
    return undefined;
  }

  async #findIn(
    path: string,
    registry: string,
    repository: string | undefined,
    { signal }: FindOptions,
  ): Promise<Credential | undefined> {
    const { AuthFile, toCredential } = await import("./auth-file.ts");
    const file = await AuthFile.read(path);
    const helper = file.helper(registry);
    if (helper !== undefined) {
      const { getFromHelper } = await import("./helper.ts");
      const found = await getFromHelper(helper, serverOf(registry), { env: this.#env, signal });
      if (found !== undefined) return found;
    }
    const entry = file.entry(registry, repository);
    return entry && toCredential(entry);
  }

  /**
   * Keep a credential: in the helper that docker's config.json names for the registry, else in that file, which is
   * replaced as a whole, with mode 0600; whatever else it holds stays.
   * @returns where it went: the file, or the helper's program
   * @throws StrataError `InvalidArgument` if the file is not JSON, `FailedPrecondition` if the helper fails
   */
  async save(registry: string, credential: Credential, signal?: AbortSignal): Promise<string> {
    const host = registryHost(registry);
    const server = serverOf(host);
    const [{ toEntry }, { storeInHelper }] = await Promise.all([
      import("./auth-file.ts"),
      import("./helper.ts"),
    ]);
    return await this.#change(signal, async (file) => {
      const helper = file.helper(host);
      if (helper !== undefined) await storeInHelper(helper, server, credential, { env: this.#env, signal });
      // With a helper, docker keeps an empty entry as a sign that the user is logged in.
      const entry = helper === undefined ? toEntry(credential) : {};
      const others = without(file, file.keys(host));
      const document = { ...file.document, auths: { ...others, [server]: entry } };
      return { document, result: helper === undefined ? file.path : `docker-credential-${helper}` };
    });
  }

  /**
   * Forget what docker's config.json, or its helper, has for a registry. Podman's files stay as they are.
   * @returns whether it had anything
   * @throws StrataError as {@link save}
   */
  async erase(registry: string, signal?: AbortSignal): Promise<boolean> {
    const host = registryHost(registry);
    const { eraseFromHelper, getFromHelper } = await import("./helper.ts");
    return await this.#change(signal, async (file) => {
      const helper = file.helper(host);
      const keys = file.keys(host);
      const options = { env: this.#env, signal };
      const held =
        helper !== undefined && (await getFromHelper(helper, serverOf(host), options)) !== undefined;
      if (helper !== undefined && held) await eraseFromHelper(helper, serverOf(host), options);
      const document = { ...file.document, auths: without(file, keys) };
      return { result: held || keys.length > 0, ...(keys.length > 0 && { document }) };
    });
  }

  async #change<T>(
    signal: AbortSignal | undefined,
    change: (file: AuthFile) => Promise<{ readonly document?: JsonObject; readonly result: T }>,
  ): Promise<T> {
    return await attempt(`write ${this.path}`, async () => {
      makeDirectories(dirname(this.path));
      // Whoever keeps the file elsewhere and links to it shall find the change there.
      const path = await realpath(this.path).catch((error: unknown) => {
        if (errnoCode(error) === "ENOENT") return this.path;
        throw error;
      });
      const { AuthFile } = await import("./auth-file.ts");
      const waiting = { create: false, ...(signal && { signal }) };
      using _lock = await FileLock.take(dirname(path), "exclusive", waiting);
      const { document, result } = await change(await AuthFile.read(path));
      if (document !== undefined)
        await writeFileAtomic(path, `${JSON.stringify(document, undefined, "\t")}\n`);
      return result;
    });
  }
}

function without(file: AuthFile, keys: readonly string[]): JsonObject {
  const auths = Object.entries(asObject(file.document["auths"]) ?? {});
  return Object.fromEntries(auths.filter(([key]) => !keys.includes(key)));
}

/** What docker calls a registry in its file and to its helpers. */
function serverOf(registry: string): string {
  return registry === defaultRegistry ? hubServer : registry;
}

/** @see containers-auth.json(5) */
function podmanPaths(env: Environment): string[] {
  const named = env["REGISTRY_AUTH_FILE"];
  if (named) return [named];
  const runtime = env["XDG_RUNTIME_DIR"];
  return [
    ...(runtime && isAbsolute(runtime) ? [join(runtime, "containers", "auth.json")] : []),
    join(configHomeOf(env), "containers", "auth.json"),
  ];
}
