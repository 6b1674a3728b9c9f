import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as send,
} from "node:http";
import { setTimeout } from "node:timers/promises";
import { type Identity, type RecordedRequest, WebServer } from "./web-server.ts";

/** All of an answer. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What goes wrong with one request. */
export type Fault =
  /** The proxy answers itself. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The connection is cut after so many bytes of the answer's content; before the answer, if below 0. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** The connection is cut in the middle of the answer's headers. */
  | { readonly kind: "cut-headers" }
  /** The connection is cut after so many bytes of the request's content have been passed on. */
  | { readonly kind: "cut-request"; readonly afterBytes: number }
  /** One bit of the request's content is another. */
  | { readonly kind: "flip-request"; readonly atByte: number }
  /** Nothing of the request is passed on, and it is not answered. */
  | { readonly kind: "silence" }
  /** The server does what it is asked to, and its answer never comes. */
  | { readonly kind: "lose-answer" }
  /** The server gets no more than so many bytes of the request's content, and the connection stays. */
  | { readonly kind: "stall-request"; readonly afterBytes: number }
  /** The answer comes later. */
  | { readonly kind: "delay"; readonly ms: number }
  /** The answer's content stops coming after so many bytes, and the connection stays. */
  | { readonly kind: "stall"; readonly afterBytes: number }
  /** The answer's content stops coming after so many bytes, and goes on when the promise is resolved. */
  | { readonly kind: "hold"; readonly afterBytes: number; readonly until: Promise<unknown> }
  /** Each piece of the answer's content, of 16 KiB or less, comes so much later than the one before. */
  | { readonly kind: "slow"; readonly ms: number }
  /** Another answer comes. */
  | { readonly kind: "change"; readonly change: (answer: WholeAnswer) => WholeAnswer }
  /** The server never sees that a part was asked for. */
  | { readonly kind: "ignore-range" }
  /** One bit of the answer's content is another. */
  | { readonly kind: "flip"; readonly atByte: number }
  /** Content-Length says so many bytes more, or fewer, than there are. */
  | { readonly kind: "lie"; readonly byBytes: number };

/**
 * Stands before a server, passes everything on, remembers the requests, and lets things go wrong as it is told. Without
 * faults it is a recorder.
 */
export class FaultyProxy implements AsyncDisposable {
  /** Decides what goes wrong with a request; nothing, unless set. */
  fault: (request: RecordedRequest) => Fault | undefined = () => undefined;
  readonly #target: URL;
  readonly #passed = new Map<RecordedRequest, number>();
  #server: WebServer | undefined;

  private constructor(target: URL) {
    this.#target = target;
  }

  /** How many bytes of the answer's content were passed on. */
  passed(request: RecordedRequest): number {
    return this.#passed.get(request) ?? 0;
  }

  /**
   * @param target - a server without TLS
   * @param identity - with one, clients come by TLS
   */
  static async start(target: string, identity?: Identity): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(new URL(target));
    proxy.#server = await WebServer.start(
      (request, response, recorded) => proxy.#handle(request, response, recorded),
      identity,
    );
    return proxy;
  }

  get #running(): WebServer {
    if (this.#server === undefined) throw new Error("the proxy is not started");
    return this.#server;
  }

  get url(): string {
    return this.#running.url;
  }

  get host(): string {
    return this.#running.host;
  }

  get requests(): RecordedRequest[] {
    return this.#running.requests;
  }

  get log(): string[] {
    return this.#running.log;
  }

  get connections(): WebServer["connections"] {
    return this.#running.connections;
  }

  async #handle(
    request: IncomingMessage,
    response: ServerResponse,
    recorded: RecordedRequest,
  ): Promise<void> {
    const fault = this.fault(recorded);
    if (fault?.kind === "answer") {
      request.resume();
      response.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    }
    if (fault?.kind === "cut" && fault.afterBytes < 0) {
      request.socket.destroy();
      return;
    }
    if (fault?.kind === "silence") return;
    if (fault?.kind === "cut-headers") {
      request.socket.end("HTTP/1.1 200 OK\r\nContent-Type: appl");
      return;
    }
    if (fault?.kind === "delay") await setTimeout(fault.ms);
    const { range, ...others } = request.headers;
    const headers = fault?.kind === "ignore-range" ? others : request.headers;
    const { hostname, port } = this.#target;
    const upstream = send({ hostname, port, method: request.method, path: request.url, headers });
    // A client that goes away takes the request to the server with it.
    response.on("close", () => response.writableFinished || upstream.destroy());
    const passed = new Promise<void>((resolve, reject) => {
      upstream.on("error", reject);
      upstream.on("response", (answer) => {
        if (fault?.kind === "lose-answer") {
          request.socket.destroy();
          resolve();
          return;
        }
        const count = (bytes: number) => this.#passed.set(recorded, this.passed(recorded) + bytes);
        void passOn(answer, response, fault, count).then(resolve, reject);
      });
    });
    await Promise.all([passed, sendOn(request, upstream, fault)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}

async function sendOn(
  request: IncomingMessage,
  upstream: ReturnType<typeof send>,
  fault: Fault | undefined,
): Promise<void> {
  let sent = 0;
  for await (const chunk of request) {
    if (fault?.kind === "cut-request" && sent + chunk.length >= fault.afterBytes) {
      const last = chunk.subarray(0, fault.afterBytes - sent);
      await new Promise((resolve) => upstream.write(last, resolve));
      // What was passed on shall arrive before the server learns of the cut.
      await setTimeout(50);
      request.socket.destroy();
      return;
    }
    if (fault?.kind === "flip-request" && fault.atByte >= sent && fault.atByte < sent + chunk.length)
      chunk[fault.atByte - sent] ^= 1;
    const isStalled = fault?.kind === "stall-request" && sent + chunk.length > fault.afterBytes;
    const part = isStalled ? chunk.subarray(0, Math.max(0, fault.afterBytes - sent)) : chunk;
    sent += chunk.length;
    if (part.length > 0) await new Promise((resolve) => upstream.write(part, resolve));
  }
  if (fault?.kind !== "stall-request") upstream.end();
}

async function passOn(
  answer: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
  count: (bytes: number) => void,
): Promise<void> {
  const headers = { ...answer.headers };
  const status = answer.statusCode ?? 500;
  if (fault?.kind === "change") {
    const changed = fault.change({ status, headers, body: Buffer.concat(await answer.toArray()) });
    response.writeHead(changed.status, changed.headers).end(changed.body);
    return;
  }
  const length = Number(headers["content-length"]);
  if (fault?.kind === "lie") headers["content-length"] = String(length + fault.byBytes);
  response.writeHead(status, headers);
  response.flushHeaders();
  let passed = 0;
  const pass = async (bytes: Buffer): Promise<void> => {
    passed += bytes.length;
    count(bytes.length);
    await new Promise((resolve) => response.write(bytes, resolve));
  };
  for await (const chunk of answer) {
    const begin = passed;
    const end = begin + chunk.length;
    if (fault?.kind === "flip" && fault.atByte >= begin && fault.atByte < end)
      chunk[fault.atByte - begin] ^= 1;
    if ((fault?.kind === "cut" || fault?.kind === "stall") && end >= fault.afterBytes) {
      await pass(chunk.subarray(0, fault.afterBytes - begin));
      answer.destroy();
      if (fault.kind === "cut") response.socket?.destroy();
      return;
    }
    if (fault?.kind === "hold" && begin <= fault.afterBytes && end > fault.afterBytes) {
      await pass(chunk.subarray(0, fault.afterBytes - begin));
      await fault.until;
    }
    const step = fault?.kind === "slow" ? 16_384 : chunk.length;
    while (passed < end) {
      if (fault?.kind === "slow") await setTimeout(fault.ms);
      await pass(chunk.subarray(passed - begin, passed - begin + step));
    }
  }
  // It has said there would be more.
  if (fault?.kind === "lie" && fault.byBytes > 0) response.socket?.destroySoon();
  else response.end();
}
