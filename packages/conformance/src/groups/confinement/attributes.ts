import assert from "node:assert/strict";
import type { Behaviour } from "../../behaviour.ts";
import { char, dir, entry, file, xattrs } from "../../tar/entries.ts";
import { listTar } from "../../tar/list.ts";
import { gives } from "../../trees/applied-tree.ts";
import { refused } from "../../trees/attack.ts";
import { describeTree } from "../../trees/describe-tree.ts";
import { readDiff } from "../../trees/diffs.ts";
import { Layers } from "../../trees/layers.ts";

/** Attributes and devices that mean something to the host. */
export const attributes: readonly Behaviour[] = [
  {
    id: "selinux-and-nfs4-xattrs-masked",
    title: "a layer's labels of the host's policy and ACLs of its NFS server are left out",
    origin: "U",
    needs: ["xattrs"],
    run: (trial) => {
      const ofHost = xattrs({
        "security.selinux": "system_u:object_r:shadow_t:s0\0",
        "system.nfs4_acl": "acl",
        "user.kept": "1",
      });
      return gives(
        trial,
        [[file("f", "", ofHost), dir("d", ofHost)]],
        ['d/ {user.kept: "1"}', 'f = "" {user.kept: "1"}'],
      );
    },
  },
  {
    id: "overlay-xattrs-escaped",
    title:
      "attributes of a layer that look like overlayfs's own are the file's: they hide and redirect nothing",
    origin: "U",
    needs: ["ownership", "xattrs"],
    async run(trial) {
      const notes = {
        "trusted.other": "z",
        "trusted.overlay.metacopy": "",
        "trusted.overlay.opaque": "y",
        "trusted.overlay.redirect": "/below",
      };
      const shown = Object.entries(notes).map(([name, value]) => `{${name}: ${JSON.stringify(value)}}`);
      const base = [
        dir("below"),
        file("below/secret"),
        dir("d"),
        file("d/below", "seen"),
        file("f", "below"),
      ];
      const top = [dir("d", xattrs(notes)), file("f", "own", xattrs(notes))];
      await gives(
        trial,
        [base, top],
        [
          "below/",
          'below/secret = ""',
          ["d/", ...shown].join(" "),
          'd/below = "seen"',
          ['f = "own"', ...shown].join(" "),
        ],
      );
      await using layers = new Layers(trial);
      await layers.commit("base", base);
      await layers.commit("top", top, "base");
      const diff = listTar(await readDiff((await trial.driver.open("top")).layout()));
      assert.deepEqual(
        diff.map(({ path, xattrs: found }) => [path, found]),
        [
          ["./", {}],
          ["d/", notes],
          ["f", notes],
        ],
      );
    },
  },
  {
    id: "device-policy",
    title:
      "devices are made where owners are kept, with their own numbers, and left out where owners are ignored",
    origin: "N",
    needs: ["ownership"],
    async run(trial) {
      const devices = [char("null", [1, 3], { mode: 0o666 }), char("tty", [4, 64]), file("f", "F")];
      await gives(trial, [devices], ['f = "F"', "null char 1:3 666", "tty char 4:64"]);
      await using layers = new Layers(trial);
      await layers.commit("ignored", devices, undefined, { ignoreOwnership: true });
      assert.deepEqual(await trial.look("ignored", (at) => describeTree(at, { owners: false })), ['f = "F"']);
    },
  },
  refused(
    {
      id: "device-without-privileges",
      title: "a device, where owners cannot be kept but are asked for,",
      origin: "N",
      needs: ["no ownership"],
    },
    { code: "Unsupported", message: /ignoreOwnership/, ignoreOwnership: false },
    [char("null", [1, 3])],
  ),
  refused(
    { id: "impossible-owner", title: "an owner whose number means that nothing is to change", origin: "N" },
    { message: /impossible owner/ },
    [file("f", "x", { pax: { uid: "4294967295" } })],
  ),
  refused(
    { id: "unknown-type", title: "an entry of a type that no one knows", origin: "N" },
    { message: /unknown type/ },
    [entry("f", "Z")],
  ),
];
