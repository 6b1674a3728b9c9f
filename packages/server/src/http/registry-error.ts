/** @see OCI distribution-spec, "Error Codes"; `UNKNOWN` is docker's for everything else */
export type RegistryErrorCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "UNAUTHORIZED"
  | "DENIED"
  | "UNSUPPORTED"
  | "TOOMANYREQUESTS"
  | "UNKNOWN";

export interface RegistryErrorOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly detail?: unknown;
  readonly cause?: unknown;
}

/** What a client is told: a status, and a code with a message in the body. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly status: number;
  readonly code: RegistryErrorCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: unknown;

  constructor(
    status: number,
    code: RegistryErrorCode,
    message: string,
    { headers = {}, detail, cause }: RegistryErrorOptions = {},
  ) {
    super(message, { cause });
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.detail = detail;
  }

  toJSON(): object {
    const { code, message, detail } = this;
    return { errors: [{ code, message, ...(detail !== undefined && { detail }) }] };
  }
}
