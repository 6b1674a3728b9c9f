// Imports a root file system and prints a file of it: argv is root, archive and the file.
import { readFileSync } from "node:fs";
import { vfs } from "@strata/driver-vfs";
import { Store } from "@strata/store";

const [, , root = "", archive = "", file = ""] = process.argv;
const driver = await vfs({ root: `${root}/drivers/vfs` });
const store = await Store.open({ root, driver });
await store.import(archive, { reference: "rootfs" });
const { id } = await store.createContainer("rootfs");
process.stdout.write(readFileSync(`${await store.mountContainer(id)}/${file}`));
await store.unmountContainer(id);
await store.close();
await driver.close();
