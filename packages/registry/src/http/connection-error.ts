import { isStrataError, StrataError } from "@strata/core";
import { displayUrl } from "./message.ts";

/** Nobody can answer there, whatever is tried again. */
const unreachable: Readonly<Record<string, string>> = {
  ENOTFOUND: "no such host",
  EACCES: "the system does not allow it",
};

const untrusted = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
]);

const invalidCertificate = /^(CERT_|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

/** What can pass: all else on the way to an answer, or in the middle of one. */
const interrupted: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: nothing listens there",
  ENETUNREACH: "network is unreachable",
  EHOSTUNREACH: "no route to host",
  ETIMEDOUT: "no connection in time",
  EAI_AGAIN: "the name service does not answer",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
  UND_ERR_HEADERS_TIMEOUT: "no answer in time",
  UND_ERR_BODY_TIMEOUT: "the answer stopped coming",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the answer is not as long as it says",
};

/**
 * Say in words why there is no answer, or not all of one.
 * @param configPath - the `registries.json` that can mend it
 * @returns StrataError `Aborted` for what can pass, `FailedPrecondition` for what will not; a StrataError and the reason of
 *   an abort as they are
 */
export function connectionError(
  error: unknown,
  url: URL,
  configPath: string,
  signal: AbortSignal | undefined,
): unknown {
  if (signal?.aborted) return signal.reason;
  if (isStrataError(error) || !(error instanceof Error)) return error;
  const code = codeOf(error);
  const definite = definiteReason(code, error, url, configPath);
  if (definite !== undefined) {
    return new StrataError("FailedPrecondition", `${url.origin}: ${definite}`, { cause: error });
  }
  const why = interrupted[code] ?? `the connection was cut (${error.message || code || error.name})`;
  return new StrataError("Aborted", `${displayUrl(url)}: ${why}`, { cause: error });
}

/** Whether the other side of a TLS handshake does not speak TLS. */
export function isNotTls(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|wrong version number|packet length too long/.test(
    `${codeOf(error)} ${error.message}`,
  );
}

function definiteReason(code: string, error: Error, url: URL, configPath: string): string | undefined {
  const write = (settings: string) => `write {"registries": {"${url.host}": ${settings}}} into ${configPath}`;
  if (isNotTls(error)) {
    return `http: server gave HTTP response to HTTPS client: it does not encrypt. Whoever trusts it and the network in between allows plain HTTP: ${write('{"insecure": true}')}`;
  }
  if (untrusted.has(code)) {
    return `x509: certificate signed by unknown authority. If the server is the right one, name its authority: ${write('{"ca": "/path/of/ca.pem"}')}`;
  }
  if (invalidCertificate.test(code))
    return `x509: the server's certificate is not valid for it: ${error.message}`;
  if (
    /ALERT.*(CERTIFICATE|HANDSHAKE_FAILURE)|alert (bad certificate|certificate required|handshake failure)/i.test(
      `${code} ${error.message}`,
    )
  ) {
    return `the server wants another certificate of the client: ${write('{"cert": "/path/of/cert.pem", "key": "/path/of/key.pem"}')}`;
  }
  return unreachable[code];
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
