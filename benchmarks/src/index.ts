export { dataDirectory } from "./dataset/paths.ts";
export { type CommandOptions, type CommandResult, run } from "./peers/command.ts";
export { ContainersStorage, skopeoCopy } from "./peers/containers-storage.ts";
export { bootstrap, installPackages, unpackPackages } from "./peers/debian.ts";
export { ImageBuilder } from "./peers/image-builder.ts";
