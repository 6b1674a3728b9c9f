import type { CommandResult } from "./command.ts";

/**
 * A tool that exchanges images with registries, with a store of its own, and nothing of the host's. References are in
 * full: `127.0.0.1:41234/image:latest`, a registry without TLS. Each method is one of its commands.
 */
export interface RegistryPeer extends AsyncDisposable {
  pull(reference: string): Promise<CommandResult>;
  /** Push what was pulled under the reference. */
  push(reference: string): Promise<CommandResult>;
}

/**
 * Make a new and empty store, and start what serves it.
 * @param directory - decides the file system that the store is on
 */
export type OpenRegistryPeer = (directory: string, signal?: AbortSignal) => Promise<RegistryPeer>;
