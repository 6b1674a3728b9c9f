import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { digestOf } from "@strata/core";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface AskOptions {
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Uint8Array | string;
}

/** Asks a registry, and shows what it answers as it is. */
export class Client {
  readonly #url: string;
  readonly #agent: Agent;
  readonly #ca: string | undefined;

  /** @param ca - certificates to trust, as PEM */
  constructor(url: string, ca?: string) {
    this.#url = url;
    this.#ca = ca;
    this.#agent = url.startsWith("https:")
      ? new TlsAgent({ keepAlive: true })
      : new Agent({ keepAlive: true });
  }

  async ask(method: string, target: string, { headers = {}, body }: AskOptions = {}): Promise<Answer> {
    const url = new URL(target, this.#url);
    const send = url.protocol === "https:" ? tlsRequest : request;
    return await new Promise((resolve, reject) => {
      const isStream = "transfer-encoding" in headers || method === "GET" || method === "HEAD";
      const length = !isStream && { "content-length": body === undefined ? 0 : Buffer.byteLength(body) };
      const sent = send(url, {
        method,
        agent: this.#agent,
        headers: { ...length, ...headers },
        ...(this.#ca !== undefined && { ca: this.#ca }),
      });
      sent.on("error", reject);
      sent.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      sent.end(body);
    });
  }

  async get(target: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return await this.ask("GET", target, { headers });
  }

  /** The body of an answer as JSON. */
  async json(target: string, headers: OutgoingHttpHeaders = {}): Promise<unknown> {
    return JSON.parse((await this.get(target, headers)).body.toString());
  }

  /** Push a blob in one request. @returns its digest */
  async pushBlob(repository: string, bytes: Uint8Array): Promise<string> {
    const digest = digestOf(bytes);
    const answer = await this.ask("POST", `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
      body: bytes,
    });
    if (answer.status !== 201) throw new Error(`POST of a blob: ${answer.status} ${answer.body}`);
    return digest;
  }

  async putManifest(repository: string, reference: string, manifest: object): Promise<Answer> {
    const { mediaType } = JSON.parse(JSON.stringify(manifest));
    return await this.ask("PUT", `/v2/${repository}/manifests/${reference}`, {
      headers: { "content-type": mediaType },
      body: JSON.stringify(manifest),
    });
  }

  /** Begin an upload. @returns its location */
  async beginUpload(repository: string): Promise<string> {
    const answer = await this.ask("POST", `/v2/${repository}/blobs/uploads/`);
    if (answer.status !== 202) throw new Error(`POST: ${answer.status} ${answer.body}`);
    return answer.headers.location ?? "";
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The codes of an error in a body. */
export function codesOf({ body }: Answer): string[] {
  const { errors }: { errors: { code: string }[] } = JSON.parse(body.toString());
  return errors.map(({ code }) => code);
}

/** A path with a query added: a location may have one already. */
export function withQuery(location: string, query: Readonly<Record<string, string>>): string {
  return `${location}${location.includes("?") ? "&" : "?"}${new URLSearchParams(query)}`;
}
