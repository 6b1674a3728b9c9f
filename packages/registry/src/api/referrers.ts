import { type Digest, digestHex, isDigest, StrataError } from "@strata/core";
import { displayUrl, headerOf } from "../http/message.ts";
import { asObject, asText, type JsonObject, parseObject } from "../json.ts";
import { pages } from "./paging.ts";
import type { RepositoryAt } from "./repository.ts";

export interface ReferrersOptions {
  /** Only those of this type. */
  readonly artifactType?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A manifest that names another as its subject: a signature, a bill of materials. */
export interface Referrer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The manifests that refer to one, also where a registry knows no such request: there they are in an index under the
 * tag `sha256-<hex>`.
 * @see distribution-spec, "Listing Referrers" and "Unavailable Referrers API"
 */
export async function* listReferrers(
  repository: RepositoryAt,
  digest: Digest,
  { artifactType, signal }: ReferrersOptions = {},
): AsyncGenerator<Referrer> {
  const query = artifactType === undefined ? "" : `?${new URLSearchParams({ artifactType })}`;
  const what = `referrers of ${repository.familiarName}@${digest}`;
  const accept = "application/vnd.oci.image.index.v1+json";
  const ask = async (to: URL | string) => {
    const answer = await repository.send("pull", { method: "GET", to, headers: { accept }, signal });
    if (answer.status === 200 || answer.status === 404 || answer.status === 405) return answer;
    throw await repository.refusal("pull", answer, what);
  };
  const fetch = async (to: URL) => {
    const answer = await ask(to);
    return answer.status === 200
      ? answer
      : await ask(repository.path(`manifests/sha256-${digestHex(digest)}`));
  };
  for await (const page of pages(
    repository.endpoint,
    repository.path(`referrers/${digest}${query}`),
    fetch,
  )) {
    if (page.status !== 200) return;
    const isFiltered = /(^|,)\s*artifactType\s*(,|$)/.test(headerOf(page, "oci-filters-applied") ?? "");
    const list = parseObject(page.bytes)?.["manifests"] ?? [];
    for (const item of Array.isArray(list) ? list : [undefined]) {
      const referrer = toReferrer(asObject(item), displayUrl(page.url));
      if (isFiltered || artifactType === undefined || referrer.artifactType === artifactType) yield referrer;
    }
  }
}

function toReferrer(item: JsonObject | undefined, where: string): Referrer {
  const { digest, size } = item ?? {};
  const mediaType = asText(item?.["mediaType"]);
  if (
    !isDigest(digest) ||
    mediaType === undefined ||
    typeof size !== "number" ||
    !Number.isSafeInteger(size)
  ) {
    throw new StrataError("InvalidArgument", `${where}: manifests: expected a list of descriptors`);
  }
  const annotations = Object.entries(asObject(item?.["annotations"]) ?? {}).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as const] : [],
  );
  return {
    mediaType,
    digest,
    sizeBytes: size,
    artifactType: asText(item?.["artifactType"]),
    annotations: Object.fromEntries(annotations),
  };
}
