// Takes an exclusive lock on the file named by its argument, says so, and holds it until its standard input ends.
import { AT_FDCWD, flock, O_RDWR, openat } from "@strata/linux";

flock(openat(AT_FDCWD, process.argv[2], O_RDWR), "exclusive");
console.log("locked");
process.stdin.resume();
