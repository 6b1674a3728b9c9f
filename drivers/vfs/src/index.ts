export { type VfsOptions, vfs } from "./vfs.ts";
