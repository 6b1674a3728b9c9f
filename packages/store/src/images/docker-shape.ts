import { dirname, join } from "node:path";
import type { LayerLayout } from "@strata/core";
import type { ContainerConfig } from "../documents.ts";

/** A container's settings with every field that docker shows, in its order, so that templates find them. */
export function dockerConfig(config: ContainerConfig): object {
  return {
    Hostname: "",
    Domainname: "",
    User: "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: null,
    Cmd: null,
    Image: "",
    Volumes: null,
    WorkingDir: "",
    Entrypoint: null,
    OnBuild: null,
    Labels: null,
    ...config,
  };
}

/**
 * Where the bytes of a snapshot are, as docker says it. `UpperDir` holds what the layer changes, `LowerDir` the layers
 * below it, nearest first; `MergedDir` is where the tree is visible while it is mounted. A driver whose snapshots are
 * whole trees has one directory, `Dir`.
 */
export function graphDriver(name: string, layout: LayerLayout | undefined, mergedDir?: string): object {
  return { Name: name, Data: layout === undefined ? null : directories(layout, mergedDir) };
}

function directories(layout: LayerLayout, mergedDir: string | undefined): object {
  if (layout.format === "plain") {
    return { Dir: layout.dir, ...(mergedDir !== undefined && { MergedDir: mergedDir }) };
  }
  // A driver of overlayfs has them beside each other, since overlayfs wants them on one file system.
  const place = dirname(layout.dir);
  return {
    ...(layout.lowers.length > 0 && { LowerDir: layout.lowers.join(":") }),
    MergedDir: mergedDir ?? join(place, "merged"),
    UpperDir: layout.dir,
    WorkDir: join(place, "work"),
  };
}
