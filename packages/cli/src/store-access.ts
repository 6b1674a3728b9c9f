import type { Store } from "@strata/store";
import { type Context, rootOf } from "./context.ts";

/** Open the driver and the store, use the store, and close both whatever happens. */
export async function withStore<T>(context: Context, use: (store: Store) => Promise<T>): Promise<T> {
  const { durability } = context.options;
  // Some of those who may need a store find that they do not.
  const open = async () => (await import("./drivers.ts")).openDriver(context.options);
  const [{ Store }, { driver }] = await Promise.all([import("@strata/store"), open()]);
  await using _closed = driver;
  await using store = await Store.open({
    root: rootOf(context.options),
    driver,
    ...(durability && { durability }),
  });
  context.signal.throwIfAborted();
  return await use(store);
}
