import { randomNumbers } from "@strata/conformance/suite";
import { sha256 } from "../../../store/test/support/image.ts";
import type { Fault, WholeAnswer } from "./faulty-proxy.ts";
import type { RecordedRequest } from "./web-server.ts";

export interface FaultChances {
  /** How likely a request is to fail, from 0 to 1. */
  readonly of: number;
  /** Bytes of an answer's content, by the end of its URL. */
  readonly sizeOf: (url: string) => number;
}

/**
 * Faults at random, the same for the same seed: each request has its own, which does not depend on the order in which
 * several arrive.
 */
export function randomFaults(seed: number, { of: chance, sizeOf }: FaultChances) {
  return ({ method, url, count }: RecordedRequest): Fault | undefined => {
    const random = randomNumbers(
      seed ^ Number.parseInt(sha256(`${method} ${url} ${count}`).slice(7, 15), 16),
    );
    // The first few numbers of seeds that are close to each other are close, too.
    for (let n = 0; n < 4; n++) random();
    if (random() >= chance) return undefined;
    const size = sizeOf(url);
    const at = Math.floor(random() * size);
    const faults: readonly (() => Fault)[] = [
      () => ({ kind: "cut", afterBytes: -1 }),
      () => ({ kind: "cut-headers" }),
      () => ({ kind: "cut", afterBytes: 0 }),
      () => ({ kind: "cut", afterBytes: at }),
      () => ({ kind: "cut", afterBytes: at }),
      () => ({ kind: "cut", afterBytes: Math.max(0, size - 1) }),
      () => ({ kind: "delay", ms: Math.floor(random() * 40) }),
      () => ({ kind: "delay", ms: answerTimeoutMs + 1000 }),
      () => ({ kind: "stall", afterBytes: at }),
      () => ({ kind: "flip", atByte: at }),
      () => ({ kind: "flip", atByte: at }),
      () => ({ kind: "lie", byBytes: 1 + Math.floor(random() * 1000) }),
      () => ({ kind: "lie", byBytes: -1 - Math.floor(random() * Math.min(1000, size)) }),
      () => ({ kind: "ignore-range" }),
      () => ({ kind: "change", change: otherRange }),
      () => ({ kind: "change", change: (answer) => cutShort(answer, at) }),
      () => ({ kind: "change", change: schema1 }),
      () => ({ kind: "answer", status: 200, headers: { "content-type": "text/html" }, body: page }),
      () => ({ kind: "answer", status: 403, headers: { "content-type": "text/html" }, body: page }),
      () => ({ kind: "answer", status: 404, body: page }),
      () => ({ kind: "answer", status: 429 }),
      () => ({ kind: "answer", status: 429, headers: { "retry-after": "0" } }),
      () => ({ kind: "answer", status: 429, headers: { "retry-after": "7200" } }),
      () => ({ kind: "answer", status: 500, body: page }),
      () => ({ kind: "answer", status: 503 }),
      () => ({ kind: "answer", status: 307, headers: { location: "http://127.0.0.1:1/nowhere" } }),
      () => ({ kind: "answer", status: 302, headers: { location: "http://[" } }),
      () => ({ kind: "answer", status: 301, headers: { location: url } }),
    ];
    return faults[Math.floor(random() * faults.length)]?.();
  };
}

/** What a client should be told to wait for, so that the faults above do not take long. */
export const answerTimeoutMs = 250;

const page = "<html><body><h1>It works!</h1></body></html>";

/** Says that it is another part than it is. */
function otherRange({ headers, body }: WholeAnswer): WholeAnswer {
  const range = `bytes 10-${9 + body.length}/${10 + body.length}`;
  return { status: 206, headers: { ...headers, "content-range": range }, body };
}

/** Shorter, and well-formed. */
function cutShort({ status, headers, body }: WholeAnswer, length: number): WholeAnswer {
  const rest = body.subarray(0, length);
  return { status, headers: { ...headers, "content-length": String(rest.length) }, body: rest };
}

function schema1({ status, headers, body }: WholeAnswer): WholeAnswer {
  const type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
  return { status, headers: { ...headers, "content-type": type }, body };
}
