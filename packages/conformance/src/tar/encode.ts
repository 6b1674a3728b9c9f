import { type BuiltEntry, entry } from "./entries.ts";

/*
 * A second writer of tar, beside that of @strata/layer and independent of it: naive, but able to say anything.
 */

/** The archive of some entries, with its end mark. */
export function tar(...entries: readonly BuiltEntry[]): Buffer {
  return Buffer.concat([...entries.map(encode), Buffer.alloc(1024)]);
}

/** One entry: a PAX header, if it has records or names that ustar cannot hold, its header, and its content. */
export function encode(built: BuiltEntry): Buffer {
  const records = Buffer.concat(
    Object.entries({ ...longNames(built), ...built.pax }).map(([keyword, value]) =>
      paxRecord(keyword, Buffer.from(value)),
    ),
  );
  const extended =
    records.length === 0
      ? []
      : [headerBlock(entry("././@PaxHeader", "x", { content: records, mtime: 0 })), padded(records)];
  return Buffer.concat([...extended, headerBlock(built), padded(built.content)]);
}

/** Where it is not said in which place they go. */
function longNames({ path, link, pax }: BuiltEntry): Record<string, Buffer> {
  const [name, target] = [Buffer.from(path), Buffer.from(link)];
  return {
    ...(!fits(target) && pax["linkpath"] === undefined && { linkpath: target }),
    ...(!fits(name) && pax["path"] === undefined && { path: name }),
  };
}

function fits(name: Buffer): boolean {
  return name.length <= 100 && name.every((byte) => byte < 0x80);
}

/** One header block. */
export function headerBlock(built: BuiltEntry): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number) =>
    header.write(value.toString(8).padStart(width - 1, "0"), at, width - 1, "latin1");
  Buffer.from(built.path).copy(header, 0, 0, 100);
  octal(built.mode, 100, 8);
  octal(built.uid, 108, 8);
  octal(built.gid, 116, 8);
  octal(built.size ?? built.content.length, 124, 12);
  octal(built.mtime, 136, 12);
  header.write(built.type, 156, "latin1");
  Buffer.from(built.link).copy(header, 157, 0, 100);
  header.write("ustar\u000000", 257, "latin1");
  octal(built.device[0], 329, 8);
  octal(built.device[1], 337, 8);
  built.tamper?.(header);
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** `LENGTH KEYWORD=VALUE\n`, where LENGTH counts its own digits too. */
function paxRecord(keyword: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${keyword}=`), value, Buffer.from("\n")]);
  let length = rest.length + 1;
  while (`${length}`.length + rest.length !== length) length = `${length}`.length + rest.length;
  return Buffer.concat([Buffer.from(`${length}`), rest]);
}
