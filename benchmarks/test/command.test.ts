import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { run } from "../src/peers/command.ts";

describe("run", () => {
  it("gives what the program printed, and how much memory it took", async () => {
    const { stdout, peakBytes } = await run("sh", ["-c", "sleep 0.2; echo done"]);
    expect(stdout).toBe("done\n");
    expect(peakBytes).toBeGreaterThan(100_000);
  });

  it("fails with the end of what the program printed", async () => {
    const failing = run("sh", ["-c", "seq 100; echo what is wrong >&2; exit 3"]);
    await expect(failing).rejects.toThrow(/ended with 3\n(?:\d+\n){24}what is wrong$/);
  });

  it("finds programs where those of the administrator lie, whatever PATH says", async () => {
    const { stdout } = await run("sh", ["-c", "echo $PATH"], { env: {} });
    expect(stdout.trim().split(":")).toEqual(expect.arrayContaining(["/usr/sbin", "/sbin"]));
  });

  it("does not start what is broken off already", async () => {
    await expect(
      run("no-such-program", [], { signal: AbortSignal.abort(new Error("enough")) }),
    ).rejects.toThrow("enough");
  });

  it.each([
    ["ends at once", "exec sleep 600"],
    ["ends well all the same", "trap 'kill $!; exit 0' TERM; sleep 600 & wait"],
  ])("breaks off a program that %s, once it has ended", async (_, script) => {
    const abort = new AbortController();
    const running = run("sh", ["-c", `${script}`], { signal: abort.signal });
    await setTimeout(100);
    abort.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
  });
});
