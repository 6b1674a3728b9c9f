import { execFileSync } from "node:child_process";
import { expect } from "vitest";
import { applyEveryWay, useWorkers } from "./apply-layers.ts";
import { dir, fifo, file, link, symlink, xattr } from "./build-layer.ts";
import { describeTree } from "./describe-tree.ts";
import { useScratch } from "./layouts.ts";
import { asRoot } from "./overlay-mount.ts";

const scratch = useScratch();
const workers = useWorkers();

function xattrsOf(path: string): string[] {
  const listed = execFileSync("getfattr", ["-hm-", "-e", "hex", "-d", "--absolute-names", path]).toString();
  return listed.split("\n").filter((line) => line.includes("="));
}

asRoot("security.capability survives, also where the owner changes, and any other bytes do", async () => {
  const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
  const options = { uid: 4, gid: 5, mode: 0o755, ...xattr("security.capability", capability) };
  const tree = await applyEveryWay(workers, scratch, [[file("f", "x", options)], [link("l", "f", options)]]);
  expect(xattrsOf(`${tree}/f`)).toEqual([`security.capability=0x${capability.toString("hex")}`]);
});

asRoot("selinux-and-nfs4-xattrs-masked", async () => {
  const attributes = { "SCHILY.xattr.security.selinux": "x", "SCHILY.xattr.system.nfs4_acl": "y" };
  const tree = await applyEveryWay(workers, scratch, [
    [file("f", "", { pax: attributes }), dir("d", { pax: attributes })],
  ]);
  expect([...xattrsOf(`${tree}/f`), ...xattrsOf(`${tree}/d`)]).toEqual([]);
});

asRoot("overlay-xattrs-escaped: what an archive says is never taken for overlayfs's own", async () => {
  const attributes = {
    "SCHILY.xattr.trusted.overlay.opaque": "y",
    "SCHILY.xattr.trusted.overlay.redirect": "/etc",
    "SCHILY.xattr.trusted.other": "z",
  };
  const layers = [
    [dir("d"), file("d/below")],
    [dir("d", { pax: attributes }), file("f", "", { pax: attributes })],
  ];
  const tree = await applyEveryWay(workers, scratch, layers);
  expect(describeTree(tree)).toEqual(["d/", 'd/below = ""', 'f = ""']);
  expect(xattrsOf(`${tree}/d`)).toEqual([
    "trusted.other=0x7a",
    "trusted.overlay.opaque=0x79",
    "trusted.overlay.redirect=0x2f657463",
  ]);
});

asRoot("attributes that no Linux file system can hold are left out", async () => {
  const tree = await applyEveryWay(workers, scratch, [
    [symlink("s", "t", xattr("user.k", "v")), fifo("p", xattr("user.k", "v"))],
  ]);
  expect(describeTree(tree)).toEqual(["p fifo", "s -> t"]);
});
