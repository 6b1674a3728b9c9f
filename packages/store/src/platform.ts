import { StrataError } from "@strata/core";

/** What an image runs on. @see OCI image-spec, image-index.md, "platform" */
export interface Platform {
  readonly os: string;
  /** As Go names it: `amd64`, `arm64`, `arm`. */
  readonly architecture: string;
  /** `v6`, `v7` of `arm`; Go may write `null` for none. */
  readonly variant?: string | null | undefined;
}

const architectures: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  x86_64: ["amd64"],
  "x86-64": ["amd64"],
  x64: ["amd64"],
  i386: ["386"],
  i686: ["386"],
  ia32: ["386"],
  aarch64: ["arm64"],
  armhf: ["arm", "v7"],
  armel: ["arm", "v6"],
  arm: ["arm", "v7"],
};

/** The defaults that nobody writes out. */
const impliedVariants: Readonly<Record<string, string>> = { arm64: "v8", amd64: "v1", arm: "v7" };

/**
 * Read `os/architecture`, `os/architecture/variant`, or one of `os` and `architecture` alone, which leaves the other to
 * the host: `linux/arm/v7`, `linux/x86_64`, `arm64`.
 * @throws StrataError `InvalidArgument`
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/");
  const [first = "", second, variant] = parts;
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9][a-z0-9_.-]*$/.test(part))) {
    throw new StrataError(
      "InvalidArgument",
      `platform ${JSON.stringify(text)}: expected os/architecture or os/architecture/variant, e.g. linux/arm/v7`,
    );
  }
  if (second !== undefined) return normal({ os: first, architecture: second, variant });
  const host = hostPlatform();
  return ["linux", "windows", "darwin", "freebsd"].includes(first)
    ? { ...host, os: first }
    : normal({ os: host.os, architecture: first });
}

/** The platform of containers on this host. */
export function hostPlatform(): Platform {
  return normal({ os: "linux", architecture: process.arch === "ppc64" ? "ppc64le" : process.arch });
}

/** `linux/arm/v7` */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join("/");
}

/**
 * How well an image's platform suits the one that is wanted: 0 is best, undefined not at all. A 32-bit ARM runs older
 * variants too.
 */
export function platformRank(wanted: Platform, offered: Platform): number | undefined {
  const [want, offer] = [normal(wanted), normal(offered)];
  if (want.os !== offer.os || want.architecture !== offer.architecture) return undefined;
  const older = variantNumber(want) - variantNumber(offer);
  if (older === 0) return 0;
  return want.architecture === "arm" && older > 0 ? older : undefined;
}

/** Go's name of the architecture, and the variant if it says more than the name. */
function normal({ os, architecture, variant }: Platform): Platform {
  const [name = architecture, implied] = architectures[architecture.toLowerCase()] ?? [];
  const own = variant || implied;
  const needless = name !== "arm" && own === impliedVariants[name];
  return { os: os.toLowerCase(), architecture: name, ...(own && !needless && { variant: own }) };
}

function variantNumber({ architecture, variant }: Platform): number {
  const name = variant ?? impliedVariants[architecture] ?? "";
  return Number(/^v?(\d+)/.exec(name)?.[1] ?? 0);
}
