import { Containerd } from "./containerd.ts";
import { Docker } from "./docker.ts";
import { Podman } from "./podman.ts";
import type { OpenRegistryPeer } from "./registry-peer.ts";
import { Skopeo } from "./skopeo.ts";
import { SkopeoLayout } from "./skopeo-layout.ts";

/** Tools by the ids that they have as subjects. */
export type RegistryPeers = ReadonlyMap<string, OpenRegistryPeer>;

const podman: OpenRegistryPeer = async (directory, signal) => new Podman(directory, signal);
const skopeo: OpenRegistryPeer = async (directory, signal) => new Skopeo(directory, signal);
const skopeoLayout: OpenRegistryPeer = async (directory, signal) => new SkopeoLayout(directory, signal);
const docker: OpenRegistryPeer = Docker.start;
const containerd: OpenRegistryPeer = Containerd.start;

/** Those that unpack what they pull. */
export const pullingPeers: RegistryPeers = new Map([
  ["podman", podman],
  ["skopeo", skopeo],
  ["docker", docker],
  ["containerd", containerd],
]);

/** Those that keep the blobs of images, and push them as they are. */
export const blobPushingPeers: RegistryPeers = new Map([
  ["skopeo", skopeoLayout],
  ["containerd", containerd],
]);

/** Those that keep only what was unpacked, and compress it anew. */
export const compressingPeers: RegistryPeers = new Map([
  ["podman", podman],
  ["skopeo", skopeo],
  ["docker", docker],
]);
