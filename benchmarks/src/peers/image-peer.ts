import type { CommandResult } from "./command.ts";

/** `archive`: a tar with docker's and OCI's documents. `layout`: the directory of an OCI image layout. */
export type ImageForm = "archive" | "layout";

/** Images to load. */
export interface ImageSource {
  readonly form: ImageForm;
  readonly path: string;
  /** The name of the image; of several in an archive, all are loaded. */
  readonly reference: string;
}

/** A tool that keeps images, with a store of its own, and nothing of the host's. Each method is one of its commands. */
export interface ImagePeer extends AsyncDisposable {
  load(source: ImageSource): Promise<CommandResult>;
  /** Write an image that was loaded from an archive to another one. */
  save(reference: string, archive: string): Promise<CommandResult>;
  /** List the images on standard output. */
  images(): Promise<CommandResult>;
  /** Remove an image that was loaded from an archive. */
  remove(reference: string): Promise<CommandResult>;
}

/** What a tool can do, known without a store of it. */
export interface ImagePeerKind {
  /** What it loads. */
  readonly reads: readonly ImageForm[];
  /** Layers that the versions in use all read. */
  readonly compressions: readonly ("none" | "gzip" | "zstd")[];
  readonly can: readonly ("save" | "images" | "remove")[];
  /**
   * Make a new and empty store, and start what serves it.
   * @param directory - decides the file system that the store is on
   */
  open(directory: string, signal?: AbortSignal): Promise<ImagePeer>;
}

/** For a method of a tool that has no such command. @throws TypeError */
export async function unable(tool: string, what: string): Promise<never> {
  throw new TypeError(`${tool} cannot ${what}`);
}
