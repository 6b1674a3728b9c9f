import { expect } from "vitest";
import { type Edit, names, useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";
import { agreeAndApply } from "./round-trip.ts";

const scratch = useScratch();

interface Case {
  readonly title: string;
  readonly base: Edit;
  readonly change: Edit;
  /** As docker prints them, sorted. */
  readonly changes: string[];
  /** The names in the archive, where that is not the list of changes. */
  readonly archive?: string[];
}

const cases: Case[] = [
  {
    title: "empty-diff",
    base: "mkdir d; echo x > d/f; ln -s f d/l",
    change: "cat d/f; ls -lR",
    changes: [],
    archive: [],
  },
  {
    title: "changes-exact: added, modified and deleted",
    base: "mkdir a b; echo 1 > a/one; echo 2 > a/two; echo 3 > b/three",
    change: "rm a/one; echo 22 > a/two; echo 4 > a/four",
    changes: ["C .", "C a", "A a/four", "D a/one", "C a/two"],
    archive: ["./", "a/", "a/.wh.one", "a/four", "a/two"],
  },
  {
    title: "same-size-same-mtime-edit",
    base: "mkdir d; echo old > d/f; touch -d @1000.5 d/f",
    change: "echo new > d/f; touch -d @1000.5 d/f",
    changes: ["C d", "C d/f"],
    archive: ["d/", "d/f"],
  },
  {
    title: "a file rewritten with the same bytes and time is no change",
    base: "mkdir d; echo old > d/f; touch -d @1000.5 d d/f",
    change: "echo old > d/f; touch -d @1000.5 d/f; chmod 600 d/f; chmod 644 d/f",
    changes: [],
  },
  {
    title: "a file written again with the same bytes at another time is a change",
    base: "echo old > f; touch -d @1000.5 f",
    change: "echo old > f",
    changes: ["C .", "C f"],
    archive: ["./", "f"],
  },
  {
    title: "permission-only-change",
    base: "mkdir -p d/e; echo x > d/f",
    change: "chmod 711 d/e; chmod 4755 d/f",
    changes: ["C d", "C d/e", "C d/f"],
    archive: ["d/", "d/e/", "d/f"],
  },
  {
    title: "a directory of which only the time changed is a change",
    base: "mkdir -p d/e",
    change: "touch -d @77.000000001 d/e",
    changes: ["C d", "C d/e"],
    archive: ["d/", "d/e/"],
  },
  {
    title: "a directory that has become larger on disk is no change",
    base: "mkdir d",
    change: "touch d/{0..99}-$(printf %0200d); rm d/*; touch -d @1500000000.987654321 d .",
    changes: [],
  },
  {
    title: "parents-included",
    base: "mkdir -p a/b/c x/y; echo 1 > a/b/c/f; chmod 700 a; chown 5:6 a/b",
    change: "echo 22 > a/b/c/f; touch -d @1500000000.987654321 a/b/c",
    changes: ["C a", "C a/b", "C a/b/c", "C a/b/c/f"],
    archive: ["a/", "a/b/", "a/b/c/", "a/b/c/f"],
  },
  {
    title: "whiteout-parents",
    base: "mkdir -p a/b; echo 1 > a/b/f; echo 2 > a/b/g",
    change: "rm a/b/f",
    changes: ["C a", "C a/b", "D a/b/f"],
    archive: ["a/", "a/b/", "a/b/.wh.f"],
  },
  {
    title: "no-redundant-whiteouts: none below a deleted or added directory",
    base: "mkdir -p gone/a/b old; echo 1 > gone/a/b/f; echo 2 > old/f",
    change: "rm gone/a/b/f; rm -r gone; mkdir fresh; echo 1 > fresh/x; rm fresh/x; mv old/f fresh; rmdir old",
    changes: ["C .", "A fresh", "A fresh/f", "D gone", "D old"],
    archive: ["./", ".wh.gone", ".wh.old", "fresh/", "fresh/f"],
  },
  {
    title: "explicit-whiteouts-first",
    base: "mkdir d; touch d/.a d/b d/y d/z",
    change: "rm d/y d/z; touch d/+ d/.a; echo > d/b",
    changes: ["C .", "C d", "A d/+", "C d/.a", "C d/b", "D d/y", "D d/z"],
    archive: ["./", "d/", "d/.wh.y", "d/.wh.z", "d/+", "d/.a", "d/b"],
  },
  {
    title: "names are sorted by components, not as whole paths",
    base: "true",
    change: "mkdir a; touch a/x a.b a-b 'a b'",
    changes: ["C .", "A a", "A a/x", "A a b", "A a-b", "A a.b"],
    archive: ["./", "a/", "a/x", "a b", "a-b", "a.b"],
  },
  {
    title: "delete-dir-recreate-hides",
    base: "mkdir -p d/sub; echo 1 > d/old; echo 2 > d/sub/f; echo 3 > d/kept",
    change: "rm -r d; mkdir d; echo 9 > d/new",
    changes: ["C .", "C d", "D d/kept", "A d/new", "D d/old", "D d/sub"],
    archive: ["./", "d/", "d/.wh.kept", "d/.wh.old", "d/.wh.sub", "d/new"],
  },
  {
    title: "a directory recreated as it was is no change",
    base: "mkdir -p p/d/e; echo 3 > p/d/kept; ln -s x p/d/l",
    change: "cp -a p/d p/c; rm -r p/d; mv p/c p/d; touch -d @1500000000.987654321 p",
    changes: [],
  },
  {
    title: "a directory recreated with one other file",
    base: "mkdir -p d/e; echo 1 > d/a; echo 2 > d/e/b; touch -d @5 d/a d/e/b d/e d",
    change:
      "cp -a d c; rm -r d; mkdir d; cp -a c/. d; rm -r c; echo 3 > d/e/b; touch -d @5 d/e/b d/e d; touch -d @1500000000.987654321 .",
    changes: ["C d", "C d/e", "C d/e/b"],
    archive: ["d/", "d/e/", "d/e/b"],
  },
  {
    title: "a path that changes type",
    base: "mkdir dir; echo 1 > dir/f; echo 2 > file; ln -s file link; mkfifo fifo; echo 3 > tolink",
    change: `
      rm -r dir; echo now a file > dir
      rm file; mkdir file; echo x > file/inner
      rm link; mknod link c 1 3
      rm fifo; mkdir fifo
      rm tolink; ln -s gone tolink`,
    changes: ["C .", "C dir", "C fifo", "C file", "A file/inner", "C link", "C tolink"],
    archive: ["./", "dir", "fifo/", "file/", "file/inner", "link", "tolink"],
  },
  {
    title: "rename-lower-file",
    base: "mkdir d; echo 1 > d/a",
    change: "mv d/a d/b",
    changes: ["C .", "C d", "D d/a", "A d/b"],
    archive: ["./", "d/", "d/.wh.a", "d/b"],
  },
  {
    title: "rename-lower-dir-or-EXDEV",
    base: "mkdir -p d/e; echo 1 > d/e/a",
    change: "mv d n",
    changes: ["C .", "D d", "A n", "A n/e", "A n/e/a"],
    archive: ["./", ".wh.d", "n/", "n/e/", "n/e/a"],
  },
  {
    title: "rename-over",
    base: "echo 1 > a; echo 22 > b",
    change: "mv a b",
    changes: ["C .", "D a", "C b"],
    archive: ["./", ".wh.a", "b"],
  },
  {
    title: "two files that change places",
    base: "mkdir d; echo 1 > d/a; echo 2 > d/b; touch -d @5 d/a d/b",
    change: "mv d/a d/t; mv d/b d/a; mv d/t d/b",
    changes: ["C .", "C d", "C d/a", "C d/b"],
    archive: ["./", "d/", "d/a", "d/b"],
  },
  {
    title: "symlinks-kept: another target of the same length and time",
    base: "ln -s aaa l; touch -h -d @5 l; ln -s same s; touch -h -d @5 s",
    change: "rm l s; ln -s bbb l; ln -s same s; touch -h -d @5 l s; touch -d @1500000000.987654321 .",
    changes: ["C .", "C l"],
    archive: ["./", "l"],
  },
  {
    title: "fifo-and-devices: another number, another time",
    base: "mknod c c 1 3; mknod b b 7 0; mkfifo p; touch -d @5 c b p",
    change: "rm c b; mknod c c 1 5; mknod b b 7 0; mkfifo q; touch -d @5 c b; touch -d @6 p",
    changes: ["C .", "C c", "C p", "A q"],
    archive: ["./", "c", "p", "q"],
  },
  {
    title: "chown-tree",
    base: "mkdir d; echo x > d/f; ln -s f d/l; mkfifo d/p",
    change: "chown -hR 1000:2000 d",
    changes: ["C .", "C d", "C d/f", "C d/l", "C d/p"],
    archive: ["./", "d/", "d/f", "d/l", "d/p"],
  },
  {
    title: "the root's own attributes",
    base: "mkdir -p d/e; echo 1 > d/e/f",
    change: "chmod 700 .; chown 1:1 .",
    changes: ["C ."],
    archive: ["./"],
  },
  {
    title: "closed directories are read by root",
    base: "mkdir -p closed/in; echo 1 > closed/in/f; chmod 000 closed closed/in",
    change: "echo 22 > closed/in/f; mkdir -m 000 new; echo 1 > new/f",
    changes: ["C .", "C closed", "C closed/in", "C closed/in/f", "A new", "A new/f"],
    archive: ["./", "closed/", "closed/in/", "closed/in/f", "new/", "new/f"],
  },
];

for (const { title, base, change, ...expected } of cases) {
  asRoot(title, async () => {
    const agreed = await agreeAndApply(scratch, base, change);
    expect(agreed.changes).toEqual(expected.changes);
    expect(names(agreed.entries)).toEqual(expected.archive ?? []);
  });
}
