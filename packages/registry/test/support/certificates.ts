import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import type { Scratch } from "@strata/conformance/suite";
import type { Identity } from "./web-server.ts";

const execute = promisify(execFile);

/** Files of PEM. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test's own, made by openssl, that nobody trusts yet. */
export class Authority {
  /** Its certificate, a file of PEM. */
  readonly path: string;
  readonly #key: string;
  #issued = 0;

  private constructor({ cert, key }: CertificateFiles) {
    this.path = cert;
    this.#key = key;
  }

  static async make(scratch: Scratch, name = "authority"): Promise<Authority> {
    const files = { cert: scratch.join(`${name}.pem`), key: scratch.join(`${name}.key`) };
    await openssl(
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
      ],
      ...["-keyout", files.key, "-out", files.cert, "-subj", `/CN=${name} of a test`],
      ...["-addext", "basicConstraints=critical,CA:TRUE"],
    );
    return new Authority(files);
  }

  /** @param names - what the certificate is for: `IP:127.0.0.1`, `DNS:localhost` */
  async issue(names = "IP:127.0.0.1,DNS:localhost"): Promise<CertificateFiles> {
    this.#issued += 1;
    const base = `${this.path}.${this.#issued}`;
    const files = { cert: `${base}.cert.pem`, key: `${base}.key.pem` };
    writeFileSync(`${base}.ext`, `subjectAltName=${names}\n`);
    await openssl(
      ...["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", files.key, "-out", `${base}.csr`, "-subj", "/CN=a test"],
    );
    await openssl(
      ...["x509", "-req", "-in", `${base}.csr`, "-CA", this.path, "-CAkey", this.#key, "-CAcreateserial"],
      ...["-days", "2", "-out", files.cert, "-extfile", `${base}.ext`],
    );
    return files;
  }

  /** The same, read. @param clientsOf - clients must have a certificate of that authority */
  async identity(names?: string, clientsOf?: Authority): Promise<Identity> {
    const { cert, key } = await this.issue(names);
    const clientCa = clientsOf && { clientCa: readFileSync(clientsOf.path) };
    return { cert: readFileSync(cert), key: readFileSync(key), ...clientCa };
  }
}

async function openssl(...args: readonly string[]): Promise<void> {
  await execute("openssl", args);
}
