import { rmSync, writeFileSync } from "node:fs";
import type { Behaviour } from "../../behaviour.ts";
import { Twin } from "../../trees/twin.ts";

/** Files that are changed and deleted on top of a parent. */
export const edits: readonly Behaviour[] = [
  {
    id: "delete-file",
    title: "a file that was deleted on top of its parent is gone",
    origin: "MSC",
    async run(trial) {
      const twin = new Twin(trial);
      await twin.layer((at) => {
        writeFileSync(`${at}/gone`, "gone");
        writeFileSync(`${at}/kept`, "kept");
      });
      await twin.layer((at) => rmSync(`${at}/gone`));
    },
  },
];
