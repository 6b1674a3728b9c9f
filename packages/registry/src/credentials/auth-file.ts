import { readFile } from "node:fs/promises";
import { errnoCode, StrataError, toStrataError } from "@strata/core";
import { registryHost } from "../hosts.ts";
import { asObject, asText, type JsonObject } from "../json.ts";
import { type Credential, tokenUsername } from "./credential.ts";

/**
 * The files of docker (`config.json`) and of podman (`auth.json`), which share a form. Others write them, so whatever is
 * not understood in them is passed over, and kept.
 * @see https://docs.docker.com/reference/cli/docker/login/#credential-stores, containers-auth.json(5)
 */
export class AuthFile {
  readonly path: string;
  readonly document: JsonObject;

  private constructor(path: string, document: JsonObject) {
    this.path = path;
    this.document = document;
  }

  /**
   * Read a file; one that is not there, or is empty, holds nothing.
   * @throws StrataError `InvalidArgument` if it is no JSON table, `Unsupported` if it may not be read
   */
  static async read(path: string): Promise<AuthFile> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (errnoCode(error) === "ENOENT" || errnoCode(error) === "ENOTDIR") return new AuthFile(path, {});
      throw toStrataError(error, path);
    }
    const document = asObject(text.trim() === "" ? {} : parse(text, path));
    if (document !== undefined) return new AuthFile(path, document);
    throw new StrataError(
      "InvalidArgument",
      `${path}: expected a JSON table; mend it, or move it away and log in again`,
    );
  }

  /** The name of the credential helper for a registry, or for all (`credsStore`); undefined if the file itself serves. */
  helper(registry: string): string | undefined {
    const own = Object.entries(asObject(this.document["credHelpers"]) ?? {}).find(
      ([key]) => registryHost(key) === registry,
    );
    return asText(own?.[1]) ?? asText(this.document["credsStore"]);
  }

  /**
   * The entry for a repository: the most specific of podman's keys with a path (`quay.io/team/app`, `quay.io/team`),
   * else the registry's.
   */
  entry(registry: string, repository?: string): JsonObject | undefined {
    const auths = Object.entries(asObject(this.document["auths"]) ?? {})
      .map(([key, value]) => ({ ...splitKey(key), value: asObject(value) }))
      .filter(({ host, path }) => host === registry && isAtOrBelow(repository ?? "", path))
      .sort((a, b) => b.path.length - a.path.length);
    return auths.find(({ value }) => value && Object.keys(value).length > 0)?.value;
  }

  /** The keys under which a registry as a whole has an entry. */
  keys(registry: string): string[] {
    return Object.keys(asObject(this.document["auths"]) ?? {}).filter((key) => {
      const { host, path } = splitKey(key);
      return host === registry && path === "";
    });
  }
}

/** The credential of an entry, or undefined if it holds none. */
export function toCredential(entry: JsonObject): Credential | undefined {
  const identityToken = asText(entry["identitytoken"]);
  if (identityToken !== undefined) return { identityToken };
  const auth = asText(entry["auth"]);
  const decoded = auth === undefined ? undefined : Buffer.from(auth, "base64").toString();
  const colon = decoded?.indexOf(":") ?? -1;
  // Old writers padded with zero bytes; docker takes them off, too.
  const username = colon > 0 ? decoded?.slice(0, colon) : asText(entry["username"]);
  const password = colon > 0 ? decoded?.slice(colon + 1).replace(/\0+$/, "") : asText(entry["password"]);
  if (username === undefined || password === undefined) return undefined;
  return username === tokenUsername ? { identityToken: password } : { username, password };
}

/** The entry that docker would write. */
export function toEntry(credential: Credential): JsonObject {
  if ("identityToken" in credential) {
    return {
      auth: Buffer.from(`${tokenUsername}:`).toString("base64"),
      identitytoken: credential.identityToken,
    };
  }
  return { auth: Buffer.from(`${credential.username}:${credential.password}`).toString("base64") };
}

/** A key of docker may be a URL, whose path means nothing; one of podman is a host and a path that means something. */
function splitKey(key: string): { host: string; path: string } {
  const isUrl = /^https?:\/\//i.test(key) || /\/v[12]\/?$/.test(key);
  const slash = key.indexOf("/");
  return {
    host: registryHost(key),
    path: isUrl || slash < 0 ? "" : key.slice(slash + 1).replace(/\/+$/, ""),
  };
}

function isAtOrBelow(repository: string, path: string): boolean {
  return path === "" || repository === path || repository.startsWith(`${path}/`);
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `${path}: not valid JSON; mend it, or move it away and log in again`;
    throw new StrataError("InvalidArgument", message, { cause });
  }
}
