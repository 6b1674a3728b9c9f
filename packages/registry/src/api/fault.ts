import { type ErrorCode, StrataError } from "@strata/core";
import { displayUrl, type HttpAnswer } from "../http/message.ts";
import { retryAfterMs } from "../http/retry.ts";
import { asObject, asText, parseObject } from "../json.ts";

/** What a registry says in a refusal. @see distribution-spec, "Error Codes" */
export interface RegistryFault {
  /** The HTTP status. */
  readonly status: number;
  readonly errors: readonly RegistryFaultItem[];
  /** How long the registry wants not to be asked. */
  readonly retryAfterMs?: number;
}

export interface RegistryFaultItem {
  /** `MANIFEST_UNKNOWN`, `DENIED`, ... */
  readonly code: string;
  readonly message: string;
}

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: "InvalidArgument",
  404: "NotFound",
  405: "Unsupported",
  408: "Aborted",
  413: "InvalidArgument",
  429: "Busy",
  500: "Aborted",
  501: "Unsupported",
  502: "Aborted",
  503: "Busy",
  504: "Aborted",
};

/** A registry's words are put on one line of bounded length, without what a terminal would obey. */
const maxWords = 500;

/** What the registry said, if `error` is a refusal of one; pull and push decide by its status. */
export function faultOf(error: unknown): RegistryFault | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof FaultCause ? cause.fault : undefined;
}

class FaultCause {
  readonly fault: RegistryFault;

  constructor(fault: RegistryFault) {
    this.fault = fault;
  }
}

/**
 * The error for an answer that is not what was asked for, in docker's words:
 * `manifest for localhost:5000/app:1 not found: manifest unknown: manifest unknown`.
 * @param what - the beginning of the sentence
 * @param hint - what to do about it; enough, if the registry says no word
 */
export function faultError(answer: HttpAnswer, what: string, hint?: string): StrataError {
  const fault = readFault(answer);
  const first = fault.errors[0]?.code;
  const code =
    first === "UNSUPPORTED" ? "Unsupported" : (codeOfStatus[answer.status] ?? "FailedPrecondition");
  const asked =
    fault.retryAfterMs === undefined ? "" : `; try again in ${Math.ceil(fault.retryAfterMs / 1000)} s`;
  const isMute = hint !== undefined && fault.errors.length === 0;
  const words = [what, hint, isMute ? undefined : wordsOf(answer, fault)].filter(
    (part) => part !== undefined,
  );
  return new StrataError(code, `${words.join(": ")}${asked}`, {
    cause: new FaultCause(fault),
  });
}

/** As docker's own errors read: `denied: requested access to the resource is denied`. */
function wordsOf({ status, url }: HttpAnswer, { errors }: RegistryFault): string {
  if (errors.length === 0) return `${displayUrl(url)} answers ${status}`;
  const words = errors.map(({ code, message }) => {
    const kind = code.toLowerCase().replaceAll("_", " ");
    return message === "" ? kind : `${kind}: ${message}`;
  });
  return onOneLine(words.join("; "));
}

function readFault(answer: HttpAnswer): RegistryFault {
  const listed = parseObject(answer.bytes)?.["errors"];
  const errors = (Array.isArray(listed) ? listed : []).flatMap((item) => {
    const error = asObject(item);
    const code = asText(error?.["code"]);
    return code === undefined ? [] : [{ code, message: asText(error?.["message"]) ?? "" }];
  });
  const wait = retryAfterMs(answer);
  return { status: answer.status, errors, ...(wait !== undefined && { retryAfterMs: wait }) };
}

function onOneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim();
  return line.length > maxWords ? `${line.slice(0, maxWords)}…` : line;
}
