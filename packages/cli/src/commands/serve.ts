import { once } from "node:events";
import type { RegistryServer } from "@strata/server";
import { type Command, Option } from "commander";
import { type StrataCommand, UsageError } from "../command.ts";
import { type Context, rootOf } from "../context.ts";
import { sizeValue } from "../options/values.ts";
import { addressValue, type ListenAddress } from "../serve/address.ts";
import { requestLog } from "../serve/request-log.ts";
import { withStore } from "../store-access.ts";

interface Options {
  readonly addr: ListenAddress;
  readonly htpasswd?: string;
  readonly anonymousRead?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly maxBlobSize?: number;
  readonly quiet?: boolean;
}

const graceMs = 10_000;

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS]")
    .addOption(
      new Option("--addr <address>", "where to listen: ADDRESS:PORT, or :PORT for all addresses")
        .argParser(addressValue)
        .default(addressValue("127.0.0.1:5000"), "127.0.0.1:5000"),
    )
    .option("--htpasswd <file>", "only these users, as htpasswd -B writes them; read again when it changes")
    .option("--anonymous-read", "anybody may pull; only users push and delete")
    .option("--tls-cert <file>", "speak TLS with this certificate (PEM)")
    .option("--tls-key <file>", "the certificate's key (PEM)")
    .option("--max-blob-size <size>", "refuse larger blobs (default 64GiB)", sizeValue)
    .option("-q, --quiet", "print the URL only, and no line for each request")
    .addHelpText(
      "after",
      "\nWhat 'strata images' lists can be pulled, and what is pushed is listed there. Prints a line for each request\n" +
        "on standard error: time, address, user, method, path, status, bytes, duration.\n" +
        `SIGINT and SIGTERM end it: requests under way have ${graceMs / 1000} seconds, then the exit code is 0. A second one ends it at once.`,
    )
    .examples(
      "strata serve",
      "strata serve --addr :5000 --htpasswd users --tls-cert cert.pem --tls-key key.pem",
      "strata serve --addr 127.0.0.1:0 -q",
    )
    .action(async (options: Options) => {
      check(options, command.path);
      await withStore(context, async (store) => {
        const { serve } = await import("@strata/server");
        const { addr, htpasswd, anonymousRead, tlsCert: cert, tlsKey: key, maxBlobSize, quiet } = options;
        await using server = await serve(store, {
          ...addr,
          ...(htpasswd !== undefined && { htpasswd }),
          ...(anonymousRead && { anonymousRead }),
          ...(cert !== undefined && key !== undefined && { tls: { cert, key } }),
          ...(maxBlobSize !== undefined && { maxBlobBytes: maxBlobSize }),
          ...requestLog(context, quiet),
        });
        await warn(context, server, options);
        await announce(context, server, options);
        if (!context.signal.aborted) await once(context.signal, "abort");
        await server.close({ graceMs });
      });
    });
}

/** @throws UsageError */
function check({ htpasswd, anonymousRead, tlsCert, tlsKey }: Options, path: string): void {
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new UsageError("--tls-cert and --tls-key go together", path);
  if (anonymousRead && htpasswd === undefined)
    throw new UsageError("--anonymous-read needs --htpasswd: without it, anybody may do everything", path);
}

async function warn({ stderr }: Context, server: RegistryServer, { htpasswd, tlsCert }: Options) {
  if (server.isLocal) return;
  if (htpasswd === undefined) {
    await stderr.line(
      `WARNING! Whoever reaches ${server.host} may pull, push and delete images. Use --htpasswd.`,
    );
  }
  if (tlsCert === undefined) {
    const what = htpasswd === undefined ? "Images" : "Passwords and images";
    await stderr.line(
      `WARNING! ${what} can be read and changed on their way to and from ${server.host}. Use --tls-cert and --tls-key.`,
    );
  }
}

/** Say where it is, and, for people, what to type there. */
async function announce(context: Context, server: RegistryServer, options: Options): Promise<void> {
  const { stdout } = context;
  const { url } = server;
  if (context.options.json) return await stdout.jsonLine({ kind: "listening", url });
  if (options.quiet) return await stdout.line(url);
  const host = server.host.replace(/^(0\.0\.0\.0|\[::\]):/, "localhost:");
  const insecure = options.tlsCert === undefined ? " --tls-verify=false" : "";
  const lines = [
    `Serving the images of ${rootOf(context.options)} at ${url}`,
    ...(options.htpasswd === undefined ? [] : [`  docker login ${host}`]),
    `  docker pull ${host}/NAME`,
    `  podman pull${insecure} ${host}/NAME`,
    `  strata pull ${host}/NAME`,
    `  docker push ${host}/NAME`,
  ];
  // At once: who waits for the first has them all.
  await stdout.line(lines.join("\n"));
}
