import { fileURLToPath } from "node:url";

/** Where the benchmark's input is kept, outside version control. */
export const dataDirectory = fileURLToPath(new URL("../../data/", import.meta.url));

/** The forms that the same four-layer image is kept in. */
export const dataset = {
  /** A docker-archive with plain layers. */
  archive: `${dataDirectory}image.tar`,
  /** An OCI image layout with gzip layers. */
  layout: `${dataDirectory}image-oci`,
  /** The image's name in both. */
  reference: "strata.example/benchmark:latest",
} as const;
