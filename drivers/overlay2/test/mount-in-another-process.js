// node mount-in-another-process.js ROOT KEY [persistent]: mounts a snapshot, writes a file into it and prints its path.
// Without `persistent` it then stays, until its standard input ends.
import { writeFileSync } from "node:fs";
import { overlay2 } from "@strata/driver-overlay2";

const [root, key, persistent] = process.argv.slice(2);
const driver = await overlay2({ root });
const snapshot = await driver.open(key);
const mount = await snapshot.mount({ persistent: persistent !== undefined });
writeFileSync(`${mount.path}/from-there`, "hello");
process.stdout.write(mount.path);
if (persistent === undefined) process.stdin.resume();
else await driver.close();
