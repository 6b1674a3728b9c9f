import { join } from "node:path";
import { Store } from "@strata/store";
import { chooseDriver } from "../subjects/choose-driver.ts";

/** Use a store for something that is made once: on any driver that works here, and not durable. */
export async function withStore<T>(root: string, use: (store: Store) => Promise<T>): Promise<T> {
  const { driver } = await chooseDriver({ root: join(root, "driver"), durability: "none" });
  await using _closed = driver;
  await using store = await Store.open({ root, driver, durability: "none" });
  return await use(store);
}
