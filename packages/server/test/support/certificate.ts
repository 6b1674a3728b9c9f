import { execFileSync } from "node:child_process";
import type { Scratch } from "@strata/conformance/suite";

/** A certificate for this machine that vouches for itself, made by openssl. @returns files of PEM */
export function selfSigned(scratch: Scratch): { readonly cert: string; readonly key: string } {
  const files = { cert: scratch.join("server.pem"), key: scratch.join("server.key") };
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", files.key, "-out", files.cert, "-days", "2", "-subj", "/CN=of a test"],
      ...["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
    ],
    { stdio: "ignore" },
  );
  return files;
}
