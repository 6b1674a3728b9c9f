import {
  type Attack,
  invalid,
  refuses,
  withConfig,
  withItem,
  withList,
  withMember,
} from "./support/hostile.ts";

const documents: Attack[] = [
  {
    title: "a list that is not JSON",
    make: () => withMember(/^manifest/, { content: "{" }),
    says: /not valid JSON/,
  },
  {
    title: "a list that is not UTF-8",
    make: () => withMember(/^manifest/, { content: Buffer.from('["\xff"]', "latin1") }),
    says: /manifest\.json: not valid JSON/,
  },
  {
    title: "an object for a list",
    make: () => withList(() => ({})),
    says: /manifest\.json: expected a list of images/,
  },
  {
    title: "a list of numbers",
    make: () => withList(() => [1]),
    says: /manifest\.json: 0: expected an image/,
  },
  { title: "an empty list", make: () => withList(() => []), says: /no image/ },
  {
    title: "a config that is a number",
    make: () => withItem({ Config: 7 }),
    says: /0\.Config: expected a text/,
  },
  {
    title: "layers that are no list",
    make: () => withItem({ Layers: "a" }),
    says: /0\.Layers: expected a list/,
  },
  {
    title: "a giant list",
    make: () => withList(() => "x".repeat(5 * 2 ** 20)),
    says: /more than such a document/,
  },
  {
    title: "a config outside",
    make: () => withItem({ Config: "../../etc/passwd" }),
    says: /leads out of the archive/,
  },
  {
    title: "an absolute config",
    make: () => withItem({ Config: "/etc/passwd" }),
    says: /leads out of the archive/,
  },
  {
    title: "a config with a NUL",
    make: () => withItem({ Config: "a\0b" }),
    says: /leads out of the archive/,
  },
  {
    title: "a layer outside",
    make: () => withItem({ Layers: ["a/../../b"] }),
    says: /leads out of the archive/,
  },
  {
    title: "a layer that is not there",
    make: () => withItem({ Layers: ["x"] }),
    says: /there is no "x" in it/,
  },
  {
    title: "too few layers",
    make: () => withList(([item]) => [{ ...item, Layers: item?.Layers.slice(1) }]),
    says: /2 layers, its manifest 1/,
  },
  { title: "a bad tag", make: () => withItem({ RepoTags: ["Upper:1"] }), says: /invalid reference format/ },
  {
    title: "a tag with a path",
    make: () => withItem({ RepoTags: ["../x:1"] }),
    says: /invalid reference format/,
  },
  {
    title: "a config without layers",
    make: () => withConfig({ rootfs: undefined }),
    says: /rootfs: expected/,
  },
  {
    title: "another kind of rootfs",
    make: () => withConfig({ rootfs: { type: "x" } }),
    says: /rootfs\.type: expected/,
  },
  {
    title: "a DiffID that is a path",
    make: () => withConfig({ rootfs: { type: "layers", diff_ids: ["sha256:../../x", "y"] } }),
    says: /diff_ids\.0: expected a sha256 digest/,
  },
].map((attack) => ({ ...attack, code: invalid }));

refuses(documents);
