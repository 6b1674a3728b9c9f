import { Containerd } from "./containerd.ts";
import { Docker } from "./docker.ts";
import type { ImagePeerKind } from "./image-peer.ts";
import { Podman } from "./podman.ts";
import { Skopeo } from "./skopeo.ts";
import { Umoci } from "./umoci.ts";

/** The tools that images can be loaded by, by the ids that they have as subjects. */
export const imagePeers: ReadonlyMap<string, ImagePeerKind> = new Map<string, ImagePeerKind>([
  [
    "podman",
    {
      reads: ["layout", "archive"],
      compressions: ["none", "gzip", "zstd"],
      can: ["save", "images", "remove"],
      open: async (directory, signal) => new Podman(directory, signal),
    },
  ],
  [
    "skopeo",
    {
      reads: ["layout", "archive"],
      compressions: ["none", "gzip", "zstd"],
      can: ["save", "remove"],
      open: async (directory, signal) => new Skopeo(directory, signal),
    },
  ],
  [
    "umoci",
    {
      reads: ["layout"],
      compressions: ["none", "gzip"],
      can: [],
      open: async (directory, signal) => new Umoci(directory, signal),
    },
  ],
  [
    "docker",
    {
      reads: ["archive"],
      compressions: ["none", "gzip"],
      can: ["save", "images", "remove"],
      open: Docker.start,
    },
  ],
  [
    "containerd",
    {
      reads: ["archive"],
      compressions: ["none", "gzip", "zstd"],
      can: ["save", "images", "remove"],
      open: Containerd.start,
    },
  ],
]);
