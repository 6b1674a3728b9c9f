import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { AT_FDCWD, mknodat, S_IFCHR, S_IFIFO, setxattrat } from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { make } from "../../snapshots.ts";
import { sameTree } from "../../trees/twin.ts";
import type { Trial } from "../../trial.ts";

/** What tree a new snapshot begins with. */
export const trees: readonly Behaviour[] = [
  {
    id: "root-mode-0755",
    title: "an empty tree has a root directory of mode 0755, whatever the umask, owned by the caller",
    origin: "MSC",
    async run(trial) {
      const before = process.umask(0o077);
      try {
        await trial.driver.prepare("active");
        await trial.driver.view("view");
      } finally {
        process.umask(before);
      }
      for (const id of ["active", "view"]) {
        await trial.look(id, (at) => {
          const { mode, uid, gid } = statSync(at);
          assert.equal(mode & 0o7777, 0o755, id);
          assert.deepEqual([uid, gid], [process.geteuid?.(), process.getegid?.()], id);
          assert.deepEqual(readdirSync(at), []);
        });
      }
    },
  },
  {
    id: "base-keeps-modes-owners-setuid-sticky",
    title: "a committed tree keeps modes and owners, setuid, setgid and sticky bits",
    origin: "MS",
    needs: ["ownership"],
    async run(trial) {
      const modes = [0o755, 0o4755, 0o2755, 0o1777, 0o6711, 0o000, 0o7777];
      await trial.commit("base", (at) => {
        for (const [n, mode] of modes.entries()) {
          mkdirSync(`${at}/dir-${n}`);
          writeFileSync(`${at}/file-${n}`, "");
          for (const path of [`${at}/dir-${n}`, `${at}/file-${n}`]) {
            chownSync(path, 1000 + n, 2000 + n);
            chmodSync(path, mode);
          }
        }
      });
      await trial.look("base", (at) => {
        for (const [n, mode] of modes.entries()) {
          for (const path of [`${at}/dir-${n}`, `${at}/file-${n}`]) {
            const stat = statSync(path);
            assert.deepEqual([stat.mode & 0o7777, stat.uid, stat.gid], [mode, 1000 + n, 2000 + n], path);
          }
        }
      });
    },
  },
  {
    id: "owners-unsupported",
    title: "where owners cannot be kept, every tree is the caller's own",
    origin: "N",
    needs: ["no ownership"],
    async run(trial) {
      await trial.commit("base", (at) => {
        mkdirSync(`${at}/dir`);
        writeFileSync(`${at}/dir/file`, "");
        assert.throws(() => chownSync(`${at}/dir/file`, 12, 34));
      });
      await trial.driver.prepare("child", "base");
      await trial.look("child", (at) => {
        for (const path of [at, `${at}/dir`, `${at}/dir/file`]) {
          assert.equal(lstatSync(path).uid, process.geteuid?.(), path);
        }
      });
    },
  },
  {
    id: "xattrs-kept",
    title: "extended attributes are kept, also those of the root directory",
    origin: "N",
    needs: ["xattrs"],
    async run(trial) {
      const plain = trial.directory("plain");
      const edit = (at: string) => {
        setxattrat(AT_FDCWD, at, "user.root", Buffer.from([0, 255]));
        writeFileSync(`${at}/file`, "");
        setxattrat(AT_FDCWD, `${at}/file`, "user.file", Buffer.from("value"));
        utimesSync(`${at}/file`, 7, 7);
        utimesSync(at, 7, 7);
      };
      edit(plain);
      await trial.commit("base", edit);
      await trial.driver.prepare("child", "base");
      for (const id of ["base", "child"]) await trial.look(id, (at) => sameTree(at, plain));
    },
  },
  {
    id: "xattrs-unsupported",
    title: "where extended attributes are not kept, setting one fails",
    origin: "N",
    needs: ["no xattrs"],
    async run(trial) {
      const active = await trial.driver.prepare("key");
      await trial.edit(active, (at) => {
        assert.throws(() => setxattrat(AT_FDCWD, at, "user.note", Buffer.from("value")));
      });
    },
  },
  ...(["active", "view"] as const).map((kind): Behaviour => {
    const what = kind === "active" ? "child" : "view";
    return {
      id: `${what}-equals-parent`,
      title: `the tree of a ${what} is its parent's, in everything that a tree can hold`,
      origin: "MSC",
      async run(trial) {
        const plain = trial.directory("plain");
        fill(trial, plain);
        await trial.commit("base", (at) => fill(trial, at));
        await make(trial.driver, kind, "key", "base");
        await trial.look("key", (at) => sameTree(at, plain));
        // Nor was it made by changing the parent.
        await trial.look("base", (at) => sameTree(at, plain));
      },
    };
  }),
  {
    id: "root-mode-inherited",
    title:
      "the root directory of a child or view has its parent's mode, owner and time, through empty layers too",
    origin: "S",
    async run(trial) {
      const owners = trial.driver.capabilities.ownership.supported;
      await trial.commit("base", (at) => {
        if (owners) chownSync(at, 12, 34);
        chmodSync(at, 0o3751);
        utimesSync(at, 1_234_567_890, 1_234_567_890);
      });
      await trial.commit("middle", () => {}, "base");
      for (const kind of ["active", "view"] as const) {
        await make(trial.driver, kind, kind, "middle");
        await trial.look(kind, (at) => {
          const { mode, uid, gid, mtimeMs } = statSync(at);
          assert.equal(mode & 0o7777, 0o3751, kind);
          assert.equal(mtimeMs, 1_234_567_890_000, kind);
          if (owners) assert.deepEqual([uid, gid], [12, 34], kind);
        });
      }
    },
  },
  {
    id: "root-mode-own",
    title: "a child's change of its root directory is its own",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => chmodSync(at, 0o711));
      await trial.commit("child", (at) => chmodSync(at, 0o700), "base");
      const mode = (at: string) => statSync(at).mode & 0o7777;
      assert.equal(await trial.look("base", mode), 0o711);
      assert.equal(await trial.look("child", mode), 0o700);
    },
  },
  {
    id: "template-clone",
    title: "many snapshots of one parent, made at once, each have all of it, and none sees another's changes",
    origin: "S",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("template", (at) => fill(trial, at));
      const plain = trial.directory("plain");
      fill(trial, plain);
      const keys = Array.from({ length: 8 }, (_, n) => `clone-${n}`);
      const clones = await Promise.all(keys.map((key) => driver.prepare(key, "template")));
      await Promise.all(
        clones.map((clone) =>
          trial.edit(clone, async (at) => {
            await sameTree(at, plain);
            writeFileSync(`${at}/own`, clone.id);
          }),
        ),
      );
      for (const key of keys) {
        await trial.look(key, (at) => assert.equal(readFileSync(`${at}/own`, "utf8"), key));
      }
    },
  },
];

/** Something of everything, as far as the driver keeps it; the same each time. */
function fill({ driver }: Trial, at: string): void {
  const { ownership, xattrs } = driver.capabilities;
  for (const path of ["empty", "dir", "dir/sub"]) mkdirSync(`${at}/${path}`);
  for (const path of ["file", "dir/file", "dir/sub/file"])
    writeFileSync(`${at}/${path}`, `content of ${path}`);
  linkSync(`${at}/dir/file`, `${at}/dir/sub/hardlink`);
  symlinkSync("../file", `${at}/dir/symlink`);
  symlinkSync("/nowhere", `${at}/dangling`);
  mknodat(AT_FDCWD, `${at}/fifo`, S_IFIFO | 0o600, { major: 0, minor: 0 });
  if (ownership.supported) {
    mknodat(AT_FDCWD, `${at}/null`, S_IFCHR | 0o666, { major: 1, minor: 3 });
    chownSync(`${at}/file`, 12, 34);
    lchownSync(`${at}/dangling`, 56, 78);
  }
  chmodSync(`${at}/file`, 0o4751);
  chmodSync(`${at}/dir`, 0o1770);
  if (xattrs.supported) setxattrat(AT_FDCWD, `${at}/dir/file`, "user.note", Buffer.from([0, 255, 10]));
  for (const path of ["file", "dir/file", "dir/sub/file", "dir/symlink", "dangling", "fifo"]) {
    lutimesSync(`${at}/${path}`, 1_400_000_000, 1_500_000_000);
  }
  if (ownership.supported) lutimesSync(`${at}/null`, 1_400_000_000, 1_500_000_000);
  for (const path of ["empty", "dir/sub", "dir", ""])
    lutimesSync(`${at}/${path}`, 1_300_000_000, 1_300_000_000);
}
