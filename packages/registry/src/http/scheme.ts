import type { Socket } from "node:net";
import { addAbortSignal } from "node:stream";
import { StrataError } from "@strata/core";
import type { RegistriesConfig } from "../config/registries-config.ts";
import type { Environment } from "../environment.ts";
import { isLoopback } from "../hosts.ts";
import { isNotTls } from "./connection-error.ts";
import { proxyFor, tunnelTo } from "./proxy.ts";

const probeTimeoutMs = 10_000;

/**
 * Plain HTTP goes to this machine, and to hosts that `registries.json` allows it for.
 * @throws StrataError `FailedPrecondition`
 */
export function assertSchemeAllowed(url: URL, config: RegistriesConfig): void {
  if (url.protocol === "https:" || (url.protocol === "http:" && mayBePlain(url, config))) return;
  throw new StrataError(
    "FailedPrecondition",
    `${url.origin}: refused, as it is not encrypted; whoever trusts it and the network in between writes {"registries": {"${url.host}": {"insecure": true}}} into ${config.path}`,
  );
}

/**
 * Whether a server may send its client on to `to`: not to plain HTTP on the client's own machine, which only the user
 * can mean, unless the server is there itself.
 * @throws StrataError `FailedPrecondition`
 */
export function assertMayLead(from: URL, to: URL, config: RegistriesConfig): void {
  assertSchemeAllowed(to, config);
  if (to.protocol === "https:" || isLoopback(from.hostname) || config.at(to).insecure) return;
  throw new StrataError(
    "FailedPrecondition",
    `${from.origin}: leads to ${to.origin}, on this machine; refused`,
  );
}

function mayBePlain(url: URL, config: RegistriesConfig): boolean {
  return isLoopback(url.hostname) || config.at(url).insecure;
}

/**
 * Where a host is reached: by https, but for those that may be plain and do not speak TLS. Nothing is sent but a
 * handshake; a certificate that is wrong is told of by the first request.
 * @throws the signal's reason
 */
export async function originOf(
  host: string,
  config: RegistriesConfig,
  env: Environment,
  signal: AbortSignal,
): Promise<URL> {
  const secure = new URL(`https://${host}`);
  if (!mayBePlain(secure, config)) return secure;
  const proxy = proxyFor(secure, env);
  const tunnel = proxy && (await tunnelTo(secure, proxy, probeTimeoutMs, signal).catch(() => undefined));
  signal.throwIfAborted();
  const isReached = proxy === undefined || tunnel !== undefined;
  const isSecure = isReached && (await speaksTls(secure, tunnel, signal));
  signal.throwIfAborted();
  return isSecure ? secure : new URL(`http://${host}`);
}

/** @param tunnel - a connection to it, if it is not to be reached directly */
async function speaksTls(url: URL, tunnel: Socket | undefined, signal: AbortSignal): Promise<boolean> {
  const { connect } = await import("node:tls");
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const socket = connect({
    ...(tunnel ? { socket: tunnel } : { host: hostname, port: Number(url.port || 443) }),
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
    ...(/^[\d.:]+$|:/.test(hostname) ? {} : { servername: hostname }),
  });
  addAbortSignal(signal, socket);
  try {
    return await new Promise<boolean>((resolve) => {
      let connected = tunnel !== undefined;
      socket.setTimeout(probeTimeoutMs, () => resolve(false));
      socket.once("connect", () => {
        connected = true;
      });
      socket.once("secureConnect", () => resolve(true));
      // Who hangs up on a handshake does not speak TLS either, or is not there: the request tells. Without a port, it is
      // port 80 that may be open. Any alert is TLS.
      socket.on("error", (error) => resolve(connected && !isNotTls(error) && !isHangUp(error)));
      socket.once("close", () => resolve(false));
    });
  } finally {
    socket.destroy();
    tunnel?.destroy();
  }
}

function isHangUp(error: Error): boolean {
  return "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}
