import { type Header, pack } from "tar-stream";

export type HeaderArgument = Partial<Header> & Pick<Header, "name">;

/** A member of a tar: a file with content, or whatever the header says. */
export interface Member {
  readonly name: string;
  readonly content?: string | Uint8Array;
  readonly header?: HeaderArgument;
}

/** Members as a tar, in this order; a name that ends with a slash is a directory. */
export async function tarOf(members: readonly Member[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, content = "", header } of members) {
    const directory = name.endsWith("/") && header === undefined;
    const full = { mtime: new Date(0), ...(directory && { type: "directory" as const }), ...header, name };
    if (directory || header?.type) archive.entry(full);
    else archive.entry(full, typeof content === "string" ? content : Buffer.from(content));
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}
