export { type BtrfsOptions, btrfs } from "./btrfs.ts";
