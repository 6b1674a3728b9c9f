import { describeWith } from "@strata/conformance";
import { pull } from "@strata/registry";
import { expect, it } from "vitest";
import { imageOf } from "../../store/test/support/image.ts";
import { Remote } from "../../store/test/support/remote.ts";
import { expectClear, hastily } from "./support/clear-errors.ts";
import type { Fault } from "./support/faulty-proxy.ts";
import { Pulling } from "./support/pulling.ts";

const files = [{ "etc/os-release": "base of all" }, { "etc/b": "upper" }];

const page = "<html><body>Log in to use this network</body></html>";
const html = { "content-type": "text/html" };

/** What is wrong with each request, and what a pull says of it. */
const lasting: readonly (readonly [title: string, fault: Fault, code: string, words: RegExp])[] = [
  ["a cut before the answer", { kind: "cut", afterBytes: -1 }, "Aborted", /: the connection was cut/],
  ["a cut in the headers", { kind: "cut-headers" }, "Aborted", /: the connection was cut/],
  ["a cut after the headers", { kind: "cut", afterBytes: 0 }, "Aborted", /: the connection was cut/],
  ["silence", { kind: "delay", ms: 1500 }, "Aborted", /: no answer in time$/],
  ["an answer that stops", { kind: "stall", afterBytes: 0 }, "Aborted", /: the answer stopped coming$/],
  ["trouble of the server", { kind: "answer", status: 500, body: page }, "Aborted", / answers 500$/],
  ["being out of service", { kind: "answer", status: 503 }, "Busy", / answers 503$/],
  [
    "too many requests",
    { kind: "answer", status: 429, headers: { "retry-after": "7200" } },
    "Busy",
    / answers 429; try again in 7200 s$/,
  ],
  [
    "a refusal",
    { kind: "answer", status: 403, headers: html, body: page },
    "FailedPrecondition",
    /pull access denied for \S+\/app, repository does not exist or may require 'strata login': \S+ answers 403$/,
  ],
  ["wrong bytes", { kind: "flip", atByte: 30 }, "Corrupt", /digest/],
  [
    "a way to nowhere",
    { kind: "answer", status: 307, headers: { location: "http://127.0.0.1:1/" } },
    "Aborted",
    /\/app\/\S+ leads to http:\/\/127\.0\.0\.1:1\/: connection refused: nothing listens there$/,
  ],
  [
    "a way to the next room",
    { kind: "answer", status: 307, headers: { location: "http://10.0.0.1/" } },
    "FailedPrecondition",
    /\/app\/\S+ leads to http:\/\/10\.0\.0\.1: refused, as it is not encrypted/,
  ],
];

describeWith("pulls that cannot succeed", ["docker-registry"], () => {
  it.each(lasting)("end with what is wrong: %s", async (_title, fault, code, words) => {
    await using room = await Pulling.start();
    await using hasty = await room.user.open({ ...hastily, attempts: 1 });
    const remote = new Remote(await imageOf(files));
    await room.push(remote);
    const [layer = ""] = remote.layers;
    for (const [end, beginning] of [
      ["manifests/1", ""],
      [`blobs/${remote.image.id}`, "config of HOST/app:1: "],
      [`blobs/${layer}`, `layer ${layer} of HOST/app:1: `],
    ] as const) {
      room.proxy.fault = ({ url }) => (url.endsWith(end) ? fault : undefined);
      const error = await pull(room.opened.store, hasty, room.reference()).catch((reason: unknown) => reason);
      expectClear(error, room.server.host);
      expect(error).toMatchObject({ code, message: expect.stringMatching(words) });
      const message = error instanceof Error ? error.message.replace(room.server.host, "HOST") : "";
      expect(message.slice(0, beginning.length)).toBe(beginning);
      expect(await room.opened.store.images()).toEqual([]);
      await room.expectSound();
    }
    room.calm();
    await room.pull();
    await room.expectWhole(remote, Object.assign({}, ...files));
  });
});
