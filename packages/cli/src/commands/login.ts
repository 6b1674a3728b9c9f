import { addAbortSignal } from "node:stream";
import { text } from "node:stream/consumers";
import type { Credential, PasswordCredential, Registries } from "@strata/registry";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { messageOf } from "../failure.ts";
import { ask, canAsk } from "../prompt.ts";
import { withRegistries } from "../registry-access.ts";
import { hub, registryNamed } from "../registry-name.ts";

interface Options {
  readonly username?: string;
  readonly password?: string;
  readonly passwordStdin?: boolean;
}

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS] [SERVER]")
    .argument("[server]", "the registry: HOST[:PORT]", hub)
    .option("-u, --username <name>", "the user's name")
    .option("-p, --password <password>", "the password; others on this host can see it")
    .option("--password-stdin", "take the password from standard input")
    .addHelpText(
      "after",
      "\nAsks on the terminal for what is not given, and tries a login before it is kept. Docker uses it, too: it goes into\n" +
        "config.json in $DOCKER_CONFIG or ~/.docker, or to the credential helper that is named there.",
    )
    .examples("strata login", "strata login -u ann --password-stdin localhost:5000 < password")
    .action(async (server: string, options: Options) => {
      const [registry, given] = [await registryNamed(server), await givenBy(context, options)];
      await withRegistries(
        context,
        async (registries) => await login({ context, registries, registry }, given),
      );
    });
}

/** What the command line says, or standard input in its place. */
interface Given {
  readonly username: string;
  readonly password: string;
}

async function givenBy(context: Context, options: Options): Promise<Given> {
  const { password = "", passwordStdin = false } = options;
  const username = options.username?.trim() ?? "";
  if (password !== "") {
    await context.stderr.line("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
    if (passwordStdin) throw new Error("--password and --password-stdin are mutually exclusive");
  }
  if (!passwordStdin) return { username, password };
  if (username === "") throw new Error("Must provide --username with --password-stdin");
  const input = (await readInput(context)).replace(/\r?\n$/, "");
  if (input === "") throw new Error("Password Required: standard input is empty");
  return { username, password: input };
}

async function readInput({ signal }: Context): Promise<string> {
  try {
    return await text(addAbortSignal(signal, process.stdin));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** What a login is about. */
interface Target {
  readonly context: Context;
  readonly registries: Registries;
  readonly registry: string;
}

async function login(target: Target, given: Given): Promise<void> {
  const { context, registries, registry } = target;
  const { stdout, stderr, signal, options } = context;
  const existing = given.username === "" ? await findExisting(target) : undefined;
  let kept: object = {};
  if (existing === undefined || given.password !== "" || !(await stillServes(target, existing))) {
    const credential = await complete(target, given, existing);
    await verify(target, credential);
    const keptIn = await registries.credentials.save(registry, credential, signal);
    if (!keptIn.startsWith("docker-credential-")) await stderr.lines(unencryptedWarning(keptIn));
    kept = { username: credential.username, keptIn };
  }
  if (options.json) await stdout.json({ registry, ...kept });
  else await stdout.line("Login Succeeded");
}

async function findExisting({ context, registries, registry }: Target): Promise<Credential | undefined> {
  const { signal, stderr } = context;
  return await registries.credentials.find(registry, undefined, {
    signal,
    onNotice: (message) => void stderr.line(`WARNING: ${message}`).catch(() => undefined),
  });
}

/** Try what is kept. If it does not serve any more, whoever is there is asked for another. */
async function stillServes(target: Target, existing: Credential): Promise<boolean> {
  const { stderr } = target.context;
  await stderr.line("Authenticating with existing credentials...");
  try {
    await verify(target, existing);
    return true;
  } catch (error) {
    target.context.signal.throwIfAborted();
    if (!canAsk()) throw error;
    await stderr.line(messageOf(error));
    return false;
  }
}

/** @throws StrataError, in docker's manner */
async function verify({ context, registries, registry }: Target, credential: Credential): Promise<void> {
  const { isStrataError, StrataError } = await import("@strata/core");
  try {
    await registries.host(registry).verify(credential, context.signal);
  } catch (error) {
    if (!isStrataError(error)) throw error;
    throw new StrataError(error.code, `Login did not succeed: ${error.message}`, { cause: error });
  }
}

/** Ask for what was not given. */
async function complete(
  { context, registry }: Target,
  { username, password }: Given,
  existing: Credential | undefined,
): Promise<PasswordCredential> {
  if (username !== "" && password !== "") return { username, password };
  if (!canAsk()) throw new Error("Cannot perform an interactive login from a non TTY device");
  const name = username || (await askName(context, registry, existing));
  if (name === "") throw new Error("Non-null Username Required");
  const secret = password || (await ask(context, "Password: ", { isSecret: true }));
  if (secret === "") throw new Error("Password Required");
  return { username: name, password: secret };
}

async function askName(
  context: Context,
  registry: string,
  existing: Credential | undefined,
): Promise<string> {
  const before = existing !== undefined && "username" in existing ? existing.username : "";
  if (registry === hub) {
    await context.stderr.line(
      "Login with your Docker ID to push and pull images from Docker Hub. If you don't have a Docker ID, head over to https://hub.docker.com to create one.",
    );
  }
  const answer = await ask(context, before === "" ? "Username: " : `Username (${before}): `);
  return answer.trim() || before;
}

function unencryptedWarning(path: string): string[] {
  return [
    `WARNING! Your password will be stored unencrypted in ${path}.`,
    "Configure a credential helper to remove this warning. See",
    "https://docs.docker.com/engine/reference/commandline/login/#credentials-store",
  ];
}
