import { type IncomingHttpHeaders, request } from "node:http";
import { StrataError } from "@strata/core";
import { displayUrl } from "./message.ts";
import type { ConnectionOptions } from "./pools.ts";

/** What a HEAD is answered with. */
export interface HeadAnswer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Send a HEAD over plain HTTP on a connection of its own, which ends with it. That is often all that a process asks, as
 * a pull that finds nothing new does: to load undici and compile its parser would take longer than all the rest.
 * @throws StrataError `Aborted` if there is no answer in time; the system error, or the signal's
 */
export async function firstHead(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { connectTimeoutMs, answerTimeoutMs }: Required<ConnectionOptions>,
  signal: AbortSignal,
): Promise<HeadAnswer> {
  const asked = request(url, {
    method: "HEAD",
    headers,
    agent: false,
    timeout: connectTimeoutMs,
    signal,
  });
  return await new Promise((resolve, reject) => {
    let waitedFor = "connection";
    asked.once("socket", (socket) =>
      socket.once("connect", () => {
        waitedFor = "answer";
        socket.setTimeout(answerTimeoutMs);
      }),
    );
    asked.once("timeout", () =>
      asked.destroy(new StrataError("Aborted", `${displayUrl(url)}: no ${waitedFor} in time`)),
    );
    asked.once("response", ({ statusCode = 0, headers: answered }) => {
      resolve({ statusCode, headers: answered });
      asked.destroy();
    });
    asked.on("error", reject);
    asked.end();
  });
}
