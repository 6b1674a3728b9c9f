import { describe, expect, it } from "vitest";
import { connectionError } from "../src/http/connection-error.ts";

const url = new URL("http://a.test/v2/?signature=x");

function messageOf(error: Error): unknown {
  return connectionError(error, url, "registries.json", undefined);
}

describe("why there is no answer", () => {
  it.each([
    ["ENETUNREACH", "network is unreachable"],
    ["EHOSTUNREACH", "no route to host"],
    ["ETIMEDOUT", "no connection in time"],
    ["ECONNRESET", "the connection was cut (ECONNRESET)"],
  ])("is said in words for %s, which comes without any for several addresses", (code, words) => {
    const error = Object.assign(new AggregateError([]), { code });
    expect(messageOf(error)).toMatchObject({ code: "Aborted", message: `http://a.test/v2/: ${words}` });
  });

  it("is the kind of error where nothing else is known", () => {
    expect(messageOf(new AggregateError([]))).toMatchObject({
      message: "http://a.test/v2/: the connection was cut (AggregateError)",
    });
  });
});
