import fc from "fast-check";
import { shortening } from "./shortening.ts";
import type { FileType } from "./tree.ts";

/**
 * What fast-check draws: an operation that says what it is to be done to by numbers. They are taken modulo what is
 * there when its turn comes, so that each part of a list of operations is one too, and the list can be shortened
 * anywhere.
 */
export type Operation =
  | { readonly op: "prepare"; readonly id: Pick; readonly parent: Pick; readonly labels: number }
  | { readonly op: "view"; readonly id: Pick; readonly parent: Pick; readonly labels: number }
  | {
      readonly op: "commit";
      readonly on: Pick;
      readonly id: Pick;
      readonly parent: number;
      readonly labels: number;
    }
  | { readonly op: "commit again"; readonly id: Pick }
  | { readonly op: "remove"; readonly on: Pick }
  | { readonly op: "mount" | "close mount" | "unmount"; readonly on: Pick; readonly persistent: boolean }
  | { readonly op: "label"; readonly on: Pick; readonly labels: number }
  | { readonly op: "list"; readonly by: number; readonly on: number; readonly labels: number }
  | { readonly op: "cleanup" }
  | { readonly op: "reopen" }
  | { readonly op: "write into view"; readonly on: number }
  | TreeOperation;

/** A number of one that fits, or, if `wild`, of any there could be: what comes of it may be refused. */
export interface Pick {
  readonly at: number;
  readonly wild: boolean;
}

export type TreeOperation = TreeEdit & {
  /** Which active snapshot. */
  readonly on: number;
  readonly quiet: boolean;
};

export type TreeEdit =
  | {
      readonly op: "make";
      readonly type: FileType;
      readonly at: number;
      readonly name: number;
      readonly mode: number;
      readonly size: number;
      readonly bytes: number;
    }
  | {
      readonly op: "overwrite" | "same size" | "append";
      readonly at: number;
      readonly size: number;
      readonly bytes: number;
    }
  | { readonly op: "truncate"; readonly at: number; readonly size: number }
  | {
      readonly op: "link" | "copy" | "rename";
      readonly at: number;
      readonly to: number;
      readonly name: number;
    }
  | { readonly op: "delete"; readonly at: number }
  | { readonly op: "chmod"; readonly at: number; readonly mode: number }
  | { readonly op: "chown"; readonly at: number; readonly owner: number }
  | { readonly op: "utimes"; readonly at: number; readonly sec: number; readonly nsec: number }
  | { readonly op: "xattr"; readonly at: number; readonly name: number; readonly value: number };

const number = fc.nat({ max: 1000 });
/** Of snapshots, the newest more often: so trees grow and chains become long. */
const newest = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: number });
const wild = fc.oneof(
  { weight: 9, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);
const pick = fc.record({ at: number, wild });
const pickNewest = fc.record({ at: newest, wild });
const size = fc.oneof(
  { weight: 12, arbitrary: fc.nat({ max: 20 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4000, max: 9000 }) },
);
const type = fc.oneof<fc.WeightedArbitrary<FileType>[]>(
  { weight: 8, arbitrary: fc.constant("file") },
  { weight: 6, arbitrary: fc.constant("directory") },
  { weight: 2, arbitrary: fc.constant("symlink") },
  { weight: 1, arbitrary: fc.constantFrom("fifo", "character device", "block device") },
);

const treeEdit = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      op: fc.constant("make" as const),
      type,
      at: number,
      name: number,
      mode: number,
      size,
      bytes: number,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constantFrom("overwrite" as const, "same size" as const, "append" as const),
      at: number,
      size,
      bytes: number,
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("truncate" as const), at: number, size }) },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constantFrom(
        "rename" as const,
        "rename" as const,
        "link" as const,
        "link" as const,
        "copy" as const,
      ),
      at: number,
      to: number,
      name: number,
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant("delete" as const), at: number }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("chmod" as const), at: number, mode: number }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("chown" as const), at: number, owner: number }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("utimes" as const),
      at: number,
      sec: fc.nat(2_000_000_000),
      nsec: fc.nat(999_999_999),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant("xattr" as const), at: number, name: number, value: number }),
  },
);
const treeOperation = fc
  .tuple(treeEdit, newest, fc.boolean())
  .map(([edit, on, quiet]): TreeOperation => ({ ...edit, on, quiet }));

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 120, arbitrary: treeOperation },
  {
    weight: 10,
    arbitrary: fc.record({
      op: fc.constant("prepare" as const),
      id: pick,
      parent: pickNewest,
      labels: number,
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      op: fc.constant("commit" as const),
      on: pickNewest,
      id: pick,
      parent: number,
      labels: number,
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant("remove" as const), on: pick }) },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constantFrom("mount" as const, "close mount" as const, "unmount" as const),
      on: pickNewest,
      persistent: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant("view" as const), id: pick, parent: pickNewest, labels: number }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("label" as const), on: pick, labels: number }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("list" as const), by: number, on: number, labels: number }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("write into view" as const), on: number }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("commit again" as const), id: pick }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom("cleanup" as const, "reopen" as const) }) },
);

/** Lists of up to `maxLength` operations, short and long ones. */
export function operations(maxLength: number): fc.Arbitrary<Operation[]> {
  return shortening(fc.array(operation, { maxLength, size: "max" }));
}
