import { isDigest, StrataError } from "@strata/core";
import { repositoryScope, type Scope } from "../auth/scopes.ts";
import type { HttpAnswer } from "../http/message.ts";
import type { Endpoint, EndpointRequest } from "./endpoint.ts";

export type Access = "pull" | "push" | "delete";

/** A repository as one host has it; what the calls of the protocol are made on. */
export class RepositoryAt {
  readonly endpoint: Endpoint;
  /** Its name there. */
  readonly name: string;
  /** What people call it: `localhost:5000/app`, `debian`. */
  readonly familiarName: string;
  readonly #attempts: number | undefined;
  readonly #access: Access;

  constructor(options: {
    readonly endpoint: Endpoint;
    readonly repository: string;
    readonly familiarName: string;
    /** What is asked for at least, so that one token serves for a whole push. */
    readonly access: Access;
    readonly attempts?: number;
  }) {
    this.endpoint = options.endpoint;
    this.name = options.endpoint.repositoryName(options.repository);
    this.familiarName = options.familiarName;
    this.#access = options.access;
    this.#attempts = options.attempts;
  }

  /** Where something of it is: `manifests/latest` */
  path(rest: string): string {
    return `/v2/${this.name}/${rest}`;
  }

  send(
    access: Access,
    request: Omit<EndpointRequest, "scopes" | "repository"> & { readonly scopes?: readonly Scope[] },
  ): Promise<HttpAnswer> {
    const scopes = [this.#access, access].map((need) => repositoryScope(this.name, need));
    return this.endpoint.send({
      attempts: this.#attempts,
      ...request,
      repository: this.name,
      scopes: [...new Set([...scopes, ...(request.scopes ?? [])])],
    });
  }

  /** The error for an answer that refuses. @param what - what was tried */
  refusal(access: Access, answer: HttpAnswer, what: string): Promise<StrataError> {
    // Who came to push is told of that, whichever request was refused first.
    const wanted = access === "pull" ? this.#access : access;
    // As docker says it: a registry does not tell those it does not know from those it keeps to itself.
    const denied =
      wanted === "pull"
        ? `pull access denied for ${this.familiarName}, repository does not exist or may require 'strata login'`
        : `${wanted} access denied for ${this.familiarName}`;
    return this.endpoint.refusal(answer, what, denied, this.name);
  }
}

/**
 * Check what names a manifest: it becomes part of a path.
 * @throws StrataError `InvalidArgument`
 */
export function assertManifestReference(reference: string): void {
  if (isDigest(reference) || /^\w[\w.-]{0,127}$/.test(reference)) return;
  throw new StrataError(
    "InvalidArgument",
    `${JSON.stringify(reference)} is neither a tag nor a sha256 digest`,
  );
}
