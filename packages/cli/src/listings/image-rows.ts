import type { ImageSummary, ImageUsage, Reference } from "@strata/store";
import { formatAge, formatMoment } from "../format/age.ts";
import type { Listing } from "../format/listing.ts";
import { formatSize } from "../format/size.ts";
import { shortId } from "../format/text.ts";
import { Row } from "../template/values.ts";

/** The fields of an image in a listing. */
export const imageListing: Listing = {
  typeName: "*formatter.imageContext",
  table: "{{.Repository}}\\t{{.Tag}}\\t{{.ID}}\\t{{.CreatedSince}}\\t{{.Size}}",
  headings: {
    ID: "IMAGE ID",
    Repository: "REPOSITORY",
    Tag: "TAG",
    Digest: "DIGEST",
    CreatedSince: "CREATED",
    CreatedAt: "CREATED AT",
    Size: "SIZE",
    Containers: "CONTAINERS",
    VirtualSize: "SIZE",
    SharedSize: "SHARED SIZE",
    UniqueSize: "UNIQUE SIZE",
  },
};

export interface ImageRowOptions {
  /** Of the store; passed in, since a listing is to start fast. */
  readonly parseName: (text: string) => Reference;
  /** Cut IDs to 12 digits. */
  readonly truncate: boolean;
  /** What the image takes on disk, if that was asked for. */
  readonly usage?: ImageUsage | undefined;
}

/** A row for each tag, one for a repository that has the image by digest only, one for an image without a name. */
export function imageRows(image: ImageSummary, options: ImageRowOptions): Row[] {
  return namesOf(image, options).map((name) => rowOf(image, name, options));
}

interface Name {
  readonly repository: string;
  readonly tag: string;
  /** What the repository has. */
  readonly digest: string | undefined;
}

function namesOf({ references, repoDigests }: ImageSummary, { parseName }: ImageRowOptions): Name[] {
  const tagged = references.map(parseName);
  const digests = repoDigests.map(parseName);
  const untagged = digests.filter(({ name }) => tagged.every((other) => other.name !== name));
  const names = [...tagged, ...untagged].map(({ name, familiarName, tag }) => ({
    repository: familiarName,
    tag: tag ?? "<none>",
    digest: digests.find((other) => other.name === name)?.digest,
  }));
  return names.length > 0 ? names : [{ repository: "<none>", tag: "<none>", digest: undefined }];
}

function rowOf(image: ImageSummary, name: Name, { truncate, usage }: ImageRowOptions): Row {
  const size = formatSize(image.size);
  return new Row(imageListing.typeName, {
    ID: () => (truncate ? shortId(image.id) : image.id),
    Repository: () => name.repository,
    Tag: () => name.tag,
    Digest: () => name.digest ?? image.digest,
    CreatedSince: () => formatAge(image.created),
    CreatedAt: () => formatMoment(image.created),
    Size: () => size,
    VirtualSize: () => size,
    Containers: () => (usage ? String(usage.containers) : "N/A"),
    SharedSize: () => (usage ? formatSize(usage.sharedBytes) : "N/A"),
    UniqueSize: () => (usage ? formatSize(usage.bytes - usage.sharedBytes) : "N/A"),
  });
}
