import type { Repositories } from "@strata/store";
import type { Exchange } from "../http/exchange.ts";

/** What all handlers work on. */
export interface ApiContext {
  readonly repositories: Repositories;
  readonly maxBlobBytes: number;
  readonly maxUploads: number;
}

/** What a path names. */
export interface Target {
  /** The full name of the repository. */
  readonly name: string;
  /** The same as the client wrote it, for paths that are sent back. */
  readonly path: string;
  /** A tag, a digest or the ID of an upload. */
  readonly rest: string;
}

/** Answers one request. @throws RegistryError, in place of an answer */
export type Handler = (context: ApiContext, exchange: Exchange, target: Target) => Promise<void>;

/** The handlers of one kind of path, by method. HEAD is GET without a body. */
export type Handlers = Readonly<Partial<Record<"GET" | "POST" | "PUT" | "PATCH" | "DELETE", Handler>>>;
