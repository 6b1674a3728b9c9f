import { Scratch } from "@strata/conformance/suite";
import type { StorageDriver } from "@strata/core";
import { overlay2 } from "@strata/driver-overlay2";
import { vfs } from "@strata/driver-vfs";
import { type RegistryServer, type ServeOptions, serve } from "@strata/server";
import { Store } from "@strata/store";
import { afterAll, beforeAll, expect } from "vitest";
import { type Answer, Client } from "./client.ts";

export interface ServedStoreOptions extends ServeOptions {
  readonly driver?: "vfs" | "overlay2";
  /** Of a store that is there. @defaultValue a new one, which goes with this */
  readonly root?: string;
  /** @defaultValue "none" */
  readonly durability?: "none" | "commit";
}

/** A store of a test's own, served on a free port. */
export class ServedStore implements AsyncDisposable {
  readonly scratch: Scratch;
  readonly store: Store;
  readonly server: RegistryServer;
  readonly client: Client;
  /** What went wrong on the server's side. */
  readonly errors: unknown[];
  readonly #driver: StorageDriver;

  private constructor(
    scratch: Scratch,
    driver: StorageDriver,
    store: Store,
    server: RegistryServer,
    errors: unknown[],
  ) {
    this.scratch = scratch;
    this.#driver = driver;
    this.store = store;
    this.server = server;
    this.errors = errors;
    this.client = new Client(server.url);
  }

  static async start(options: ServedStoreOptions = {}): Promise<ServedStore> {
    const scratch = new Scratch();
    const root = options.root ?? scratch.join("store");
    const { durability = "none", driver: name = "vfs" } = options;
    const make = name === "vfs" ? vfs : overlay2;
    const driver = await make({ root: `${root}/drivers/${name}`, durability });
    const store = await Store.open({ root, driver, threads: 2, durability });
    const errors: unknown[] = [];
    try {
      const server = await serve(store, { port: 0, onError: (error) => errors.push(error), ...options });
      return new ServedStore(scratch, driver, store, server, errors);
    } catch (error) {
      await driver.close();
      await scratch[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.server.close({ graceMs: 1000 });
    await this.store.close();
    await this.#driver.close();
    await this.scratch[Symbol.asyncDispose]();
  }
}

/** The server had no trouble of its own, and nothing in the store is damaged. */
export async function expectSound({ store, errors }: ServedStore): Promise<void> {
  expect(errors).toEqual([]);
  await store.gc();
  expect(await store.check()).toEqual([]);
}

/** What the tests of a file share. */
export interface SharedStore extends Pick<ServedStore, "client" | "server"> {
  readonly ask: (...args: Parameters<Client["ask"]>) => Promise<Answer>;
}

/** One served store for all tests of a file; when they are done, it must be sound. */
export function useServedStore(): SharedStore {
  let started: ServedStore | undefined;
  const served = (): ServedStore => {
    if (started === undefined) throw new TypeError("the store is served while the tests run");
    return started;
  };
  beforeAll(async () => {
    started = await ServedStore.start();
  });
  afterAll(async () => {
    await expectSound(served());
    await served()[Symbol.asyncDispose]();
  });
  return {
    get client() {
      return served().client;
    },
    get server() {
      return served().server;
    },
    ask: (...args) => served().client.ask(...args),
  };
}
