import { BlockList, isIP, type Socket } from "node:net";
import { StrataError } from "@strata/core";
import type { Environment } from "../environment.ts";
import { isLoopback } from "../hosts.ts";
import { displayUrl } from "./message.ts";

/**
 * The proxy that leads to a URL, if one does: `HTTPS_PROXY` for https, `HTTP_PROXY` for plain HTTP, but for this machine and for what
 * `NO_PROXY` lists. In small letters or large ones, the small ones first.
 * @throws StrataError `InvalidArgument`, if a variable is no URL
 * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy, whose rules docker and podman follow
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const name = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const value = variableOf(env, name);
  if (value === undefined || isLoopback(url.hostname) || isExempt(url, variableOf(env, "NO_PROXY") ?? ""))
    return undefined;
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy !== undefined && /^https?:$/.test(proxy.protocol)) return proxy;
  throw new StrataError(
    "InvalidArgument",
    `${name}: ${proxy ? displayUrl(proxy) : "what it says"} is no address of a proxy; expected e.g. http://proxy.example.com:3128`,
  );
}

function variableOf(env: Environment, name: string): string | undefined {
  return env[name.toLowerCase()]?.trim() || env[name]?.trim() || undefined;
}

/** `*`, `example.com` (and below), `.example.com` (below only), `10.0.0.0/8`, `10.1.2.3`, each with a port if need be. */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return list
    .split(",")
    .map((item) => item.trim().toLowerCase())
    .some((item) => {
      const [, name = item, itemPort] = /^([^:]*|\[.*\]):(\d+)$/.exec(item) ?? [];
      if (itemPort !== undefined && itemPort !== port) return false;
      return name === "*" || (name !== "" && matches(host, name.replace(/^\[|\]$/g, "")));
    });
}

function matches(host: string, name: string): boolean {
  const [address = "", prefix] = name.split("/");
  const family = isIP(address);
  if (family === 0) {
    const domain = name.replace(/^\*?\./, "");
    return host.endsWith(`.${domain}`) || (host === domain && name === domain);
  }
  if (isIP(host) !== family) return false;
  const kind = family === 4 ? "ipv4" : "ipv6";
  const listed = new BlockList();
  if (prefix === undefined) listed.addAddress(address, kind);
  else if (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
    listed.addSubnet(address, Number(prefix), kind);
  return listed.check(host, kind);
}

/**
 * A connection through a proxy to a URL's host, on which nothing has been sent yet.
 * @param signal - ends the asking for it
 * @throws StrataError `FailedPrecondition`, if the proxy refuses; the system error, if it is not there
 */
export async function tunnelTo(
  url: URL,
  proxy: URL,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  const { hostname, port, username, password } = proxy;
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const isSecure = proxy.protocol === "https:";
  const { request } = await (isSecure ? import("node:https") : import("node:http"));
  const asked = request({
    method: "CONNECT",
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port || (isSecure ? 443 : 80),
    path: `${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`,
    timeout: timeoutMs,
    agent: false,
    signal,
    ...(username && {
      headers: { "proxy-authorization": `Basic ${Buffer.from(login).toString("base64")}` },
    }),
  });
  // Many connect to port 443 only.
  const hint =
    url.protocol === "https:"
      ? "see HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
      : "proxies often do so but for https: list it in NO_PROXY, if it is reached without";
  const refusal = (status: number | undefined): StrataError =>
    new StrataError(
      "FailedPrecondition",
      `${url.origin}: the proxy ${proxy.origin} refuses to connect to it (${status}); ${hint}`,
    );
  return await new Promise((resolve, reject) => {
    asked.once("connect", ({ statusCode }, socket: Socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(refusal(statusCode));
    });
    asked.once("response", ({ statusCode }) => asked.destroy(refusal(statusCode)));
    asked.once("timeout", () =>
      asked.destroy(
        new StrataError("Aborted", `${url.origin}: no answer of the proxy ${proxy.origin} in time`),
      ),
    );
    asked.once("error", reject);
    asked.end();
  });
}
