import type { ContainerSummary, ContainerUsage } from "@strata/store";
import { formatAge, formatMoment } from "../format/age.ts";
import type { Listing } from "../format/listing.ts";
import { formatSize } from "../format/size.ts";
import { ellipsis, shortId } from "../format/text.ts";
import { Row } from "../template/values.ts";

/** The fields of a container in a listing. */
export const containerListing: Listing = {
  typeName: "*formatter.ContainerContext",
  table: "{{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Ports}}\\t{{.Names}}",
  headings: {
    ID: "CONTAINER ID",
    Names: "NAMES",
    Image: "IMAGE",
    Command: "COMMAND",
    CreatedAt: "CREATED AT",
    RunningFor: "CREATED",
    Ports: "PORTS",
    State: "STATE",
    Status: "STATUS",
    Size: "SIZE",
    Labels: "LABELS",
    Mounts: "MOUNTS",
  },
};

/** No container runs yet: each has been created, and perhaps mounted. */
export const containerState = "created";

export interface ContainerRowOptions {
  /** Cut IDs and commands. */
  readonly truncate: boolean;
  /** What the container takes on disk, if that was asked for. */
  readonly usage?: ContainerUsage | undefined;
}

export function containerRow(container: ContainerSummary, { truncate, usage }: ContainerRowOptions): Row {
  const { id, name, image, created, labels, mountedAt } = container;
  const words = container.command.join(" ");
  return new Row(containerListing.typeName, {
    ID: () => (truncate ? shortId(id) : id),
    Names: () => name,
    Image: () => image,
    Command: () => JSON.stringify(truncate ? ellipsis(words, 20) : words),
    CreatedAt: () => formatMoment(created),
    RunningFor: () => formatAge(created),
    Ports: () => "",
    State: () => containerState,
    Status: () => (mountedAt === undefined ? "Created" : "Created (mounted)"),
    Size: () => (usage ? formatSize(usage.bytes) : "N/A"),
    Labels: () =>
      Object.entries(labels)
        .map((pair) => pair.join("="))
        .join(","),
    Label: (label) => labels[label] ?? "",
    Mounts: () => mountedAt ?? "",
  });
}
