import { expect, vi } from "vitest";
import { Running } from "../../support/running.ts";
import type { Strata } from "../../support/strata.ts";

/** `strata serve` on a free port. */
export class Serving implements AsyncDisposable {
  readonly #running: Running;
  readonly url: string;

  private constructor(running: Running, url: string) {
    this.#running = running;
    this.url = url;
  }

  static async start(strata: Strata, ...options: readonly string[]): Promise<Serving> {
    const running = new Running(strata, "serve", "--addr=127.0.0.1:0", ...options);
    const { output } = running;
    try {
      await vi.waitFor(() => expect(output.stdout).toContain("\n"), { timeout: 30_000 });
      const url = /https?:\S+/.exec(output.stdout)?.[0];
      if (url === undefined) throw new Error(`strata serve does not start: ${output.stderr}`);
      return new Serving(running, url);
    } catch (error) {
      await running[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** As a reference names it. */
  get host(): string {
    return new URL(this.url).host;
  }

  /** End it as a person would. @returns its exit code */
  async end(): Promise<number | string | null> {
    return await this.#running.end("SIGINT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
  }
}
