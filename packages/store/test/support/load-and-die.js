// Loads an archive, and kills its own process at a given moment: argv is root, archive, and the moment.
import { join } from "node:path";
import { overlay2 } from "@strata/driver-overlay2";
import { vfs } from "@strata/driver-vfs";
import { Store } from "@strata/store";

const [, , root = "", archive = "", name = "", moment = ""] = process.argv;
const driver = await { vfs, overlay2 }[name]({ root: join(root, "drivers", name) });
const store = await Store.open({ root, driver, threads: 1 });
await store.load(archive, {
  onProgress: (event) => {
    const reached = event.kind === "layer" ? event.status : "published";
    if (reached === moment) process.kill(process.pid, "SIGKILL");
  },
});
console.log("survived");
process.exit(0);
