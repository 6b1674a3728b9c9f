import type { ObserverOptions, RequestRecord } from "@strata/server";
import type { Context } from "../context.ts";
import { messageOf } from "../failure.ts";
import { formatSize } from "../format/size.ts";
import { escapeControls } from "../format/text.ts";

/**
 * How a server tells what it does: a line for each request and each trouble, on standard error; with `--json` as JSON,
 * on standard output. Requests are left out with `quiet`. A reader that goes away does not end the server.
 */
export function requestLog({ stdout, stderr, options }: Context, quiet = false): ObserverOptions {
  const write = (event: object, text: string) => {
    const time = new Date().toISOString();
    const written = options.json
      ? stdout.jsonLine({ time, ...event })
      : stderr.line(escapeControls(`${time} ${text}`));
    written.catch(() => undefined);
  };
  return {
    ...(!quiet && {
      onRequest: (record) => {
        const shown = { ...record, url: withoutUser(record.url) };
        write({ kind: "request", ...shown }, describe(shown));
      },
    }),
    onError: (error, request) => {
      const message = messageOf(error);
      const shown = request && { ...request, url: withoutUser(request.url) };
      const what = shown ? `${shown.method} ${shown.url}: ` : "";
      write({ kind: "error", ...shown, message }, `ERROR ${what}${message}`);
    },
  };
}

/** As other servers' access logs: fields without blanks in them, and `-` for what there is none of. */
function describe(record: RequestRecord): string {
  const { remoteAddress, user, method, url, status, receivedBytes, sentBytes, durationMs } = record;
  const from = remoteAddress.replace(/^::ffff:/, "");
  const bytes = formatSize(receivedBytes + sentBytes);
  return `${from} ${user ?? "-"} ${method} ${url} ${status || "-"} ${bytes} ${Math.round(durationMs)}ms`;
}

/** A request may name the server by a whole URL, and that hold a password. */
function withoutUser(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/]*@/, "$1");
}
