import { z } from "zod";

const path = z.string("expected the path of a file").min(1, "expected the path of a file");

const mirror = z
  .string("expected a URL with its scheme, e.g. https://mirror.example.com")
  .refine(
    isMirrorUrl,
    "expected a URL with its scheme and nothing but a path after the host, e.g. https://mirror.example.com",
  );

const registry = z
  .strictObject(
    {
      mirrors: z.array(mirror, "expected a list of URLs").optional(),
      insecure: z.boolean("expected true or false").optional(),
      ca: path.optional(),
      cert: path.optional(),
      key: path.optional(),
    },
    { error: unknownField("expected the settings of a registry") },
  )
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), "cert and key go together");

/** `registries.json`. Unknown fields are refused: a misspelt one would silently do nothing. */
export const registriesSchema = z.strictObject(
  {
    registries: z.record(
      z.string().regex(/^[^/\s]+$/, "expected a host, with its port if it has one"),
      registry,
      "expected a table of registries by host",
    ),
  },
  { error: unknownField('expected {"registries": {...}}') },
);

export type RegistriesFile = z.infer<typeof registriesSchema>;

function isMirrorUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return false;
  return !url.username && !url.password && !url.search && !url.hash;
}

function unknownField(otherwise: string): (issue: { code?: string; keys?: string[] }) => string {
  return ({ code, keys }) =>
    code === "unrecognized_keys"
      ? `unknown field ${(keys ?? []).map((key) => `"${key}"`).join(", ")}`
      : otherwise;
}
