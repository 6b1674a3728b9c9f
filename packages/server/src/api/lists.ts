import { pageOf } from "../http/paging.ts";
import { RegistryError } from "../http/registry-error.ts";
import type { Handler, Handlers } from "./context.ts";
import { digestOf } from "./names.ts";

const tags: Handler = async ({ repositories }, exchange, { name, path }) => {
  const all = await repositories.tags(name);
  if (all === undefined) throw new RegistryError(404, "NAME_UNKNOWN", `there is no repository ${path}`);
  const { items, headers } = pageOf(exchange, all);
  exchange.json(200, { name: path, tags: items }, headers);
};

const catalog: Handler = async ({ repositories }, exchange) => {
  const { items, headers } = pageOf(exchange, await repositories.names());
  exchange.json(200, { repositories: items }, headers);
};

const indexType = "application/vnd.oci.image.index.v1+json";

const referrers: Handler = async ({ repositories }, exchange, { name, rest }) => {
  const all = await repositories.referrers(name, digestOf(rest));
  const wanted = exchange.query.get("artifactType");
  const manifests = wanted === null ? all : all.filter(({ artifactType }) => artifactType === wanted);
  exchange.json(
    200,
    { schemaVersion: 2, mediaType: indexType, manifests },
    { "content-type": indexType, ...(wanted !== null && { "oci-filters-applied": "artifactType" }) },
  );
};

const base: Handler = async (_context, exchange) => exchange.json(200, {});

export const tagsHandlers: Handlers = { GET: tags };
export const catalogHandlers: Handlers = { GET: catalog };
export const referrersHandlers: Handlers = { GET: referrers };
export const baseHandlers: Handlers = { GET: base };
