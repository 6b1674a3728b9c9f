import { isStrataError, type LayerLayout } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { parseName } from "../reference.ts";
import { dockerConfig, graphDriver } from "./docker-shape.ts";
import { resolveImage } from "./resolve.ts";
import { timeOf, zeroTime } from "./times.ts";

/**
 * An image in the shape of `docker image inspect`.
 * @throws StrataError, as `resolveImage`
 */
export async function inspectImage(context: StoreContext, reference: string): Promise<object> {
  const image = await resolveImage(context, reference);
  const { config, layerSizes } = image;
  const size = layerSizes.reduce((sum, bytes) => sum + bytes, 0);
  return {
    Id: image.id,
    RepoTags: image.references.map((name) => parseName(name).familiar()),
    RepoDigests: image.repoDigests.map((name) => parseName(name).familiar()),
    Parent: image.parentId ?? "",
    Comment: config.history?.at(-1)?.comment ?? "",
    Created: timeOf(config.created),
    Author: config.author ?? "",
    Config: dockerConfig(config.config ?? {}),
    Architecture: config.architecture,
    ...(config.variant && { Variant: config.variant }),
    Os: config.os,
    Size: size,
    VirtualSize: size,
    GraphDriver: graphDriver(context.driver.name, await topLayout(context, image.chainIds.at(-1))),
    RootFS: { Type: "layers", Layers: image.diffIds },
    Metadata: { LastTagTime: zeroTime },
  };
}

/** Undefined for an image without layers, or whose layers this driver has not unpacked. */
async function topLayout(
  { driver }: StoreContext,
  top: string | undefined,
): Promise<LayerLayout | undefined> {
  try {
    return top === undefined ? undefined : (await driver.open(top)).layout();
  } catch (error) {
    if (isStrataError(error, "NotFound")) return undefined;
    throw error;
  }
}
