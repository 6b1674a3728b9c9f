import { defaultRegistry } from "@strata/store";

/** Where docker.io's images really are: docker has always asked this host. */
export const hubEndpoint = "registry-1.docker.io";
/** The key of docker.io's credentials in docker's config.json, and what its credential helpers are asked for. */
export const hubServer = "https://index.docker.io/v1/";

const hubNames = new Set([defaultRegistry, "index.docker.io", hubEndpoint]);

/**
 * The host that a server's address means, as references name it, whichever way people write it:
 * `https://index.docker.io/v1/`, `http://localhost:5000`, `quay.io/`.
 */
export function registryHost(address: string): string {
  const host = address
    .replace(/^https?:\/\//i, "")
    .replace(/\/.*$/s, "")
    .replace(/:443$/, "")
    .toLowerCase();
  return hubNames.has(host) ? defaultRegistry : host;
}

/** Whether a host name can only mean this machine, so that nobody in between reads or changes what is sent. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(hostname);
}
