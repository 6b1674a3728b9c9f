import { spawn } from "node:child_process";
import { StrataError } from "@strata/core";
import type { Environment } from "../environment.ts";
import { asText, parseObject } from "../json.ts";
import { type Credential, tokenUsername } from "./credential.ts";

/** What a helper may print; a credential is far smaller. */
const maxOutputBytes = 1024 * 1024;

export interface HelperOptions {
  readonly env: Environment;
  /** Ends the helper, which may be waiting for its user. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Ask the program `docker-credential-<name>` of the PATH for the credential of a server.
 * @returns undefined if it has none
 * @throws StrataError `FailedPrecondition` if it is missing or fails
 * @see https://github.com/docker/docker-credential-helpers, "Development": the protocol
 */
export async function getFromHelper(
  name: string,
  server: string,
  options: HelperOptions,
): Promise<Credential | undefined> {
  const { code, stdout, stderr } = await runHelper(name, "get", server, options);
  if (code !== 0) {
    // The protocol has no other sign of it than this text.
    if (/credentials not found/i.test(stdout + stderr)) return undefined;
    throw failed(name, "get", stdout, stderr, code);
  }
  const answer = parseObject(stdout);
  const username = answer?.["Username"];
  const secret = asText(answer?.["Secret"]);
  if (typeof username !== "string" || secret === undefined) return undefined;
  return username === tokenUsername ? { identityToken: secret } : { username, password: secret };
}

/** Have the helper keep a credential. @throws StrataError `FailedPrecondition` */
export async function storeInHelper(
  name: string,
  server: string,
  credential: Credential,
  options: HelperOptions,
): Promise<void> {
  const [username, secret] =
    "identityToken" in credential
      ? [tokenUsername, credential.identityToken]
      : [credential.username, credential.password];
  const input = JSON.stringify({ ServerURL: server, Username: username, Secret: secret });
  const { code, stdout, stderr } = await runHelper(name, "store", input, options);
  if (code !== 0) throw failed(name, "store", stdout, stderr, code);
}

/** Have the helper forget a server, if it knows it. @throws StrataError `FailedPrecondition` */
export async function eraseFromHelper(name: string, server: string, options: HelperOptions): Promise<void> {
  const { code, stdout, stderr } = await runHelper(name, "erase", server, options);
  if (code === 0 || /credentials not found/i.test(stdout + stderr)) return;
  throw failed(name, "erase", stdout, stderr, code);
}

interface HelperResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function runHelper(
  name: string,
  command: "get" | "store" | "erase",
  input: string,
  { env, signal }: HelperOptions,
): Promise<HelperResult> {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name)) {
    throw new StrataError(
      "InvalidArgument",
      `${JSON.stringify(name)} cannot be the name of a credential helper`,
    );
  }
  signal?.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const child = spawn(program, [command], { env: { ...env }, stdio: ["pipe", "pipe", "pipe"], signal });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text;
        if (output[name].length > maxOutputBytes) child.kill("SIGKILL");
      });
    }
    child.once("error", (cause) => {
      if (signal?.aborted) return reject(signal.reason);
      const message = `credential helper ${program} cannot be run: ${cause.message}; is it installed, and in the PATH?`;
      reject(new StrataError("FailedPrecondition", message, { cause }));
    });
    child.once("close", (code) => resolve({ code, ...output }));
    // A helper that is gone before it has read all is told of by its exit code.
    child.stdin.on("error", () => {}).end(input);
  });
}

function failed(
  name: string,
  command: string,
  stdout: string,
  stderr: string,
  code: number | null,
): StrataError {
  // What `get` printed before it failed may hold a secret.
  const said = (command === "get" && stdout.includes("{") ? stderr : `${stderr}\n${stdout}`)
    .trim()
    .split("\n")[0];
  const why = said || (code === null ? "it was killed" : `exit code ${code}`);
  return new StrataError(
    "FailedPrecondition",
    `credential helper docker-credential-${name} ${command}: ${why}`,
  );
}
