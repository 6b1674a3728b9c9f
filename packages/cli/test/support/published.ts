import { Registries } from "@strata/registry";
import { hostPlatform, parseReference } from "@strata/store";
import type { DockerRegistry } from "../../../registry/test/support/docker-registry.ts";
import { pushBlob } from "../../../registry/test/support/sample.ts";
import { type Files, imageOf, sha256 } from "../../../store/test/support/image.ts";
import { descriptorOf } from "../../../store/test/support/layouts.ts";
import { Remote } from "../../../store/test/support/remote.ts";

export const manifestType = "application/vnd.oci.image.manifest.v1+json";
export const indexType = "application/vnd.oci.image.index.v1+json";

export const ownPlatform = { os: "linux", architecture: hostPlatform().architecture };
export const otherPlatform = {
  os: "linux",
  architecture: ownPlatform.architecture === "s390x" ? "amd64" : "s390x",
};

/** An image as a registry has it. */
export interface Published {
  readonly id: string;
  /** Of the manifest. */
  readonly digest: string;
  /** Digests of the layers' blobs, bottom first. */
  readonly layers: readonly string[];
  /** As `pull` names them. */
  readonly labels: readonly string[];
  readonly manifest: Buffer;
}

/** Put an image into a registry, past its proxy, without a Strata that could have made mistakes. */
export async function publish(
  server: DockerRegistry,
  name: string,
  layers: readonly Files[],
  platform: { readonly os: string; readonly architecture: string } = ownPlatform,
): Promise<Published> {
  const remote = new Remote(await imageOf(layers, { platform }));
  const digest = sha256(remote.manifest);
  await using registries = await Registries.open({ env: {} });
  const reference = parseReference(`${server.directHost}/${name}`);
  const repository = registries.repository(reference);
  for (const [blob, bytes] of remote.blobs) if (blob !== digest) await pushBlob(repository, bytes);
  await repository.putManifest(reference.tag ?? digest, { bytes: remote.manifest, mediaType: manifestType });
  const labels = remote.layers.map(labelOf);
  return { id: remote.image.id, digest, layers: remote.layers, labels, manifest: remote.manifest };
}

/** Put an index of two images into a registry: for this host, and for another platform. */
export async function publishIndex(
  server: DockerRegistry,
  name: string,
): Promise<{ digest: string; own: Published; other: Published }> {
  const [repository = ""] = name.split(":");
  const [own, other] = [
    await publish(server, `${repository}:own`, [{ file: "own" }]),
    await publish(server, `${repository}:other`, [{ file: "other" }], otherPlatform),
  ];
  const manifests = [
    { ...descriptorOf(other.manifest, manifestType), platform: otherPlatform },
    { ...descriptorOf(own.manifest, manifestType), platform: ownPlatform },
  ];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }));
  await using registries = await Registries.open({ env: {} });
  const reference = parseReference(`${server.directHost}/${name}`);
  await registries.repository(reference).putManifest(reference.tag ?? "", { bytes, mediaType: indexType });
  return { digest: sha256(bytes), own, other };
}

export function labelOf(digest: string): string {
  return digest.slice("sha256:".length, "sha256:".length + 12);
}
