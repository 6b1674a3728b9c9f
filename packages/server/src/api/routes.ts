import { RegistryError } from "../http/registry-error.ts";
import { blobHandlers } from "./blobs.ts";
import type { Handler, Handlers, Target } from "./context.ts";
import { baseHandlers, catalogHandlers, referrersHandlers, tagsHandlers } from "./lists.ts";
import { manifestHandlers } from "./manifests.ts";
import { repositoryName } from "./names.ts";
import { beginHandlers, uploadHandlers } from "./uploads.ts";

/** In this order: the first that fits counts. The repository's name may have slashes, what comes last may not. */
const routes: readonly (readonly [path: RegExp, handlers: Handlers])[] = [
  [/^\/v2\/?$/, baseHandlers],
  [/^\/v2\/_catalog$/, catalogHandlers],
  [/^\/v2\/(?<name>.+)\/blobs\/uploads\/?$/, beginHandlers],
  [/^\/v2\/(?<name>.+)\/blobs\/uploads\/(?<rest>[^/]+)$/, uploadHandlers],
  [/^\/v2\/(?<name>.+)\/blobs\/(?<rest>[^/]+)$/, blobHandlers],
  [/^\/v2\/(?<name>.+)\/manifests\/(?<rest>[^/]+)$/, manifestHandlers],
  [/^\/v2\/(?<name>.+)\/tags\/list$/, tagsHandlers],
  [/^\/v2\/(?<name>.+)\/referrers\/(?<rest>[^/]+)$/, referrersHandlers],
];

/** What a request is about, and what it wants of it. */
export interface Route {
  readonly target: Target;
  readonly handler: Handler;
  /** It changes nothing. */
  readonly isRead: boolean;
  /** It asks only whether this is a registry. */
  readonly isBase: boolean;
}

/** @throws RegistryError 404, 405 or NAME_INVALID */
export function routeOf(method: string, path: string): Route {
  const isRead = method === "GET" || method === "HEAD";
  for (const [pattern, handlers] of routes) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const methods: Readonly<Record<string, Handler | undefined>> = handlers;
    const handler = methods[method === "HEAD" ? "GET" : method];
    if (handler === undefined) throw notAllowed(method, handlers);
    return { target: targetOf(match.groups), handler, isRead, isBase: handlers === baseHandlers };
  }
  throw new RegistryError(404, "UNSUPPORTED", `there is nothing at ${path}: this is a registry, at /v2/`);
}

function targetOf(groups: Readonly<Record<string, string>> = {}): Target {
  const { name: path, rest = "" } = groups;
  if (path === undefined) return { name: "", path: "", rest };
  return { name: repositoryName(decoded(path)), path, rest: decoded(rest) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RegistryError(400, "NAME_INVALID", `${text} cannot be decoded`);
  }
}

function notAllowed(method: string, handlers: Handlers): RegistryError {
  const allowed = Object.keys(handlers).flatMap((name) => (name === "GET" ? [name, "HEAD"] : name));
  const message = `${method} is not possible here; these are: ${allowed.join(", ")}`;
  return new RegistryError(405, "UNSUPPORTED", message, { headers: { allow: allowed.join(", ") } });
}
