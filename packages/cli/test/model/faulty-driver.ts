import type { Participant } from "@strata/conformance/suite";
import type { ActiveSnapshot, DriverOptions, LayerLayout, StorageDriver } from "@strata/core";
import { directory } from "./drivers.ts";

/** What a driver does wrong. */
export interface Fault {
  /** What it does to the layer of an active snapshot when a mount of it has been closed. */
  readonly afterClose?: (layer: Buffer) => void;
  /** What it does to it before a commit. */
  readonly beforeCommit?: (layer: Buffer) => void;
  /** What it says instead of where the bytes are. */
  readonly layout?: (layout: LayerLayout) => LayerLayout;
}

/** A driver with a fault planted in it. */
export function plant(
  fault: Fault,
  name: string,
  create: (options: DriverOptions) => Promise<StorageDriver>,
): Participant {
  return {
    name: `${name} with a fault`,
    directory,
    async create(options) {
      const driver = await create(options);
      return replace(driver, {
        async prepare(key, parent, rest) {
          return spoil(await driver.prepare(key, parent, rest), fault);
        },
        async open(id) {
          const snapshot = await driver.open(id);
          return snapshot.kind === "active" ? spoil(snapshot, fault) : snapshot;
        },
      });
    },
  };
}

function spoil(active: ActiveSnapshot, { afterClose, beforeCommit, layout }: Fault): ActiveSnapshot {
  const dir = Buffer.from(active.layout().dir);
  return replace(active, {
    layout: () => layout?.(active.layout()) ?? active.layout(),
    async mount(options) {
      const mount = await active.mount(options);
      const close = async () => {
        await mount.close();
        afterClose?.(dir);
      };
      return { path: mount.path, close, [Symbol.asyncDispose]: close };
    },
    async commit(name, options) {
      beforeCommit?.(dir);
      return active.commit(name, options);
    },
  });
}

/** `target`, but for some of its methods. */
function replace<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, property) {
      const value: unknown = Reflect.get(property in methods ? methods : target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
