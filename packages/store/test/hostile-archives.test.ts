import { compressors } from "./support/compress.ts";
import {
  type Attack,
  firstLayer,
  good,
  invalid,
  link,
  refuses,
  withList,
  withMember,
} from "./support/hostile.ts";
import { tarOf } from "./support/tar.ts";

const notArchives: Attack[] = [
  { title: "nothing", make: async () => Buffer.alloc(0), code: invalid, says: /unexpected EOF/ },
  { title: "a few bytes", make: async () => Buffer.from("junk"), code: invalid, says: /unexpected EOF/ },
  {
    title: "a lot of text",
    make: async () => Buffer.alloc(9999, "junk"),
    code: invalid,
    says: /unexpected EOF/,
  },
  { title: "zeros", make: async () => Buffer.alloc(10_240), code: invalid, says: /unexpected EOF/ },
  {
    title: "a tar of other things",
    make: () => tarOf([{ name: "x" }]),
    code: invalid,
    says: /neither manifest/,
  },
  {
    title: "an archive of docker before 1.10",
    make: () =>
      tarOf([
        { name: "repositories", content: "{}" },
        { name: "abc/json", content: "{}" },
      ]),
    code: invalid,
    says: /before 1\.10/,
  },
  {
    title: "an archive cut off in a layer",
    make: async () => (await tarOf(await withList((items) => items))).subarray(0, 5000),
    code: invalid,
    says: /unexpected EOF|in the middle/,
  },
  {
    title: "an archive cut off in a header",
    make: async () => (await tarOf(await withList((items) => items))).subarray(0, 700),
    code: invalid,
    says: /in the middle/,
  },
];

const members: Attack[] = [
  {
    title: "a member outside",
    make: () => withMember(/VERSION$/, { name: "../x" }),
    says: /leads out of the archive/,
  },
  {
    title: "a layer that is a link out",
    make: () => withMember(firstLayer, link("../../../../etc/passwd")),
    says: /leads out/,
  },
  {
    title: "a layer that is an absolute link",
    make: () => withMember(firstLayer, link("/etc/passwd")),
    says: /leads out/,
  },
  {
    title: "a layer that is a hardlink out",
    make: () => withMember(firstLayer, link("../../etc/passwd", "link")),
    says: /leads out/,
  },
  {
    title: "a list that is a link out",
    make: () =>
      withMember(/^manifest/, { header: { name: "manifest.json", type: "symlink", linkname: "../x" } }),
    says: /leads out/,
  },
  { title: "links in a circle", make: () => withMember(firstLayer, link("layer.tar")), says: /in a circle/ },
  {
    title: "a layer that is a directory",
    make: () => withMember(firstLayer, { header: { name: "x", type: "directory" } }),
    says: /there is no/,
  },
].map((attack) => ({ ...attack, code: invalid }));

const damaged: Attack[] = Object.entries(compressors)
  .filter(([name]) => name !== "none")
  .flatMap(([name, compress]): Attack[] => [
    {
      title: `${name} cut off`,
      make: async () => compress(await tarOf(await withList((items) => items))).subarray(0, -20),
      code: "Corrupt",
      says: new RegExp(name),
    },
    {
      title: `a layer of ${name} cut off`,
      make: async () => {
        const image = await good();
        return withMember(firstLayer, {
          content: compress(image.layers[0] ?? Buffer.alloc(0)).subarray(0, -20),
        });
      },
      code: "Corrupt",
      says: new RegExp(name),
    },
  ]);

refuses([...notArchives, ...members, ...damaged]);
