import { setFlagsFromString } from "node:v8";
import type { Registries } from "@strata/registry";
import type { Context } from "./context.ts";

// V8 would compile undici's parser a second time as soon as it has run once, for longer than most commands take.
const neverSoon = "--wasm-tiering-budget=1000000000";

/**
 * Open the registries as the user's files describe them, use them, and end all connections whatever happens. What was
 * got round on the way, a mirror that does not answer say, is told on standard error.
 */
export async function withRegistries<T>(
  { stderr, signal }: Context,
  use: (registries: Registries) => Promise<T>,
): Promise<T> {
  setFlagsFromString(neverSoon);
  const { Registries } = await import("@strata/registry");
  await using registries = await Registries.open({
    // Not worth failing for.
    onNotice: (message) => void stderr.line(`WARNING: ${message}`).catch(() => undefined),
  });
  signal.throwIfAborted();
  return await use(registries);
}
