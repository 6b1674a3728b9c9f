import { expect } from "vitest";
import { listChanges, makeLayouts, names, readDiff, useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";
import { readTar } from "./read-tar.ts";
import { agreeAndApply } from "./round-trip.ts";

const scratch = useScratch();

asRoot("hardlink-unmodified: names of one file that did not change are not in the diff", async () => {
  const base = "mkdir d; echo 1 > d/a; ln d/a d/b; ln -s x d/l; ln d/l d/m";
  const agreed = await agreeAndApply(scratch, base, "echo new > f");
  expect(agreed.changes).toEqual(["C .", "A f"]);
  expect(names(agreed.entries)).toEqual(["./", "f"]);
});

asRoot("a new name for a lower file takes the old one along, as the file if it sorts first", async () => {
  const agreed = await agreeAndApply(scratch, "echo 1 > m", "ln m a; ln m z");
  expect(agreed.changes).toEqual(["C .", "A a", "A z"]);
  expect(names(agreed.entries)).toEqual(["./", "a", "m = a", "z = a"]);
});

asRoot("hardlink-parents: a name that comes along brings its directories, which are no changes", async () => {
  const agreed = await agreeAndApply(scratch, "mkdir -p a/b z/y x; echo 1 > a/b/f", "ln a/b/f z/y/g");
  expect(agreed.changes).toEqual(["C z", "C z/y", "A z/y/g"]);
  expect(names(agreed.entries)).toEqual(["a/", "a/b/", "a/b/f", "z/", "z/y/", "z/y/g = a/b/f"]);
});

asRoot("a name that comes along in the root does not bring the root", async () => {
  const agreed = await agreeAndApply(
    scratch,
    "mkdir -p d/e; echo 1 > m",
    "ln m d/e/z; touch -d @1500000000.987654321 d",
  );
  expect(agreed.changes).toEqual(["C d", "C d/e", "A d/e/z"]);
  expect(names(agreed.entries)).toEqual(["d/", "d/e/", "d/e/z", "m = d/e/z"]);
});

asRoot("hardlink-before-modified: new names and then new content", async () => {
  const agreed = await agreeAndApply(scratch, "echo 1 > m", "ln m n; echo 22 > m");
  expect(agreed.changes).toEqual(["C .", "C m", "A n"]);
  expect(names(agreed.entries)).toEqual(["./", "m", "n = m"]);
  expect(agreed.entries.map(({ content }) => content.toString())).toEqual(["", "22\n", ""]);
});

asRoot("hardlink-modified: on a plain layout all names of the file changed", async () => {
  const { plain } = makeLayouts(scratch, "mkdir d; echo 1 > d/a; ln d/a d/b; ln d/a c", "echo 22 > d/b");
  expect(await listChanges(plain)).toEqual(["C .", "C c", "C d", "C d/a", "C d/b"]);
  expect(names(readTar(await readDiff(plain)))).toEqual(["./", "c", "d/", "d/a = c", "d/b = c"]);
});

asRoot("hardlink-modified: under overlay the name that was written to left the others", async () => {
  const { overlay } = makeLayouts(scratch, "mkdir d; echo 1 > d/a; ln d/a d/b; ln d/a c", "echo 22 > d/b");
  expect(await listChanges(overlay)).toEqual(["C d", "C d/b"]);
  expect(names(readTar(await readDiff(overlay)))).toEqual(["d/", "d/b"]);
});

asRoot("one file that became two equal ones is no change", async () => {
  const change = "cp -p a c; mv c a; touch -d @1500000000.987654321 .";
  const agreed = await agreeAndApply(scratch, "echo 1 > a; ln a b; touch -d @5 a", change, {
    ignore: ["hardlinks"],
  });
  expect(agreed.changes).toEqual([]);
  expect(agreed.entries).toEqual([]);
});

asRoot("two equal files that became one are a change of both", async () => {
  const base = "mkdir d; echo 1 > d/a; echo 1 > z; touch -d @5 d/a z";
  const agreed = await agreeAndApply(scratch, base, "ln -f d/a z");
  expect(agreed.changes).toEqual(["C .", "C d", "C d/a", "C z"]);
  expect(names(agreed.entries)).toEqual(["./", "d/", "d/a", "z = d/a"]);
});

asRoot("a directory with a name that comes along is a parent, if it holds a change too", async () => {
  const base = "mkdir d; echo 1 | tee d/a d/b d/c; touch -d @5 d/b d/c";
  const agreed = await agreeAndApply(
    scratch,
    base,
    "ln d/a z; ln -f d/b d/c; touch -d @1500000000.987654321 d",
  );
  expect(agreed.changes).toEqual(["C .", "C d", "C d/b", "C d/c", "A z"]);
  expect(names(agreed.entries)).toEqual(["./", "d/", "d/a", "d/b", "d/c = d/b", "z = d/a"]);
});

asRoot("a name that is taken away changes none of the others", async () => {
  const agreed = await agreeAndApply(scratch, "mkdir d; echo 1 > d/a; ln d/a d/b; ln d/a c", "rm d/a");
  expect(agreed.changes).toEqual(["C .", "C d", "D d/a"]);
  expect(names(agreed.entries)).toEqual(["./", "d/", "d/.wh.a"]);
});

asRoot("hardlink-to-symlink, and to a device and a FIFO", async () => {
  const change = "ln -s ../x l; ln l m; mknod c c 1 3; ln c d; mkfifo p; ln p q";
  const agreed = await agreeAndApply(scratch, "true", change);
  expect(names(agreed.entries)).toEqual(["./", "c", "d = c", "l", "m = l", "p", "q = p"]);
  expect(agreed.entries.map(({ type }) => type)).toEqual([
    "dir",
    "char",
    "link",
    "symlink",
    "link",
    "fifo",
    "link",
  ]);
});

asRoot("a link says the file's metadata again, without its size", async () => {
  const change = "echo 123 > a; ln a b; chown 7:8 a; chmod 4711 a; touch -d @1000.25 a";
  const { entries } = await agreeAndApply(scratch, "true", change);
  const [, file, link] = entries;
  expect(link).toMatchObject({ mode: 0o4711, uid: 7, gid: 8, mtime: "1000.25", size: 0, link: "a" });
  expect(file).toMatchObject({ mode: 0o4711, uid: 7, gid: 8, mtime: "1000.25", size: 4 });
});

asRoot("with names that the driver did not call touched, all names of a changed file are found", async () => {
  const { plain } = makeLayouts(scratch, "mkdir d e; echo 1 > d/a; ln d/a e/b", "echo 22 > d/a");
  const touched = async function* () {
    yield Buffer.from("d/a");
  };
  expect(await listChanges({ ...plain, touched })).toEqual(["C d", "C d/a", "C e", "C e/b"]);
});
