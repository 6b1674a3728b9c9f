import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";
import { attempt, errnoCode } from "@strata/core";
import type { Environment } from "../environment.ts";

/** Where systems keep the certificates that they trust. @see Go's crypto/x509/root_linux.go, which docker and podman read */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * The certificates that the host's system trusts, as PEM: of the file that `SSL_CERT_FILE` names, else of the system's own, else
 * those that Node brings along; besides, those of the file that `NODE_EXTRA_CA_CERTS` names.
 * @throws StrataError `NotFound`, if a file that a variable names is not there
 */
export async function systemAuthorities(env: Environment): Promise<string[]> {
  const { SSL_CERT_FILE: named, NODE_EXTRA_CA_CERTS: extra } = env;
  const read = (variable: string, path: string) =>
    attempt(`${variable}: ${path}`, () => readFile(path, "utf8"));
  const own = named ? [await read("SSL_CERT_FILE", named)] : await systemBundle();
  return extra ? [...own, await read("NODE_EXTRA_CA_CERTS", extra)] : own;
}

async function systemBundle(): Promise<string[]> {
  for (const path of bundles) {
    try {
      return [await readFile(path, "utf8")];
    } catch (error) {
      if (errnoCode(error) !== "ENOENT") throw error;
    }
  }
  return [...rootCertificates];
}
