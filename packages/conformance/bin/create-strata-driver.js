#!/usr/bin/env node
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

// Makes a package with a new driver, of the template beside this folder.
const [argument = "", ...rest] = process.argv.slice(2);

if (argument === "--help" || argument === "-h") {
  console.log(`Usage: create-strata-driver DIRECTORY/driver-NAME

Makes a package with a new storage driver that passes the conformance suite: what to start from. NAME is of lower-case
letters and digits.

Example: create-strata-driver ../driver-zfs`);
} else {
  const problem = rest.length > 0 ? "give one directory" : create(resolve(argument));
  if (problem !== undefined) {
    console.error(`create-strata-driver: ${problem}; see create-strata-driver --help`);
    process.exitCode = 1;
  }
}

/**
 * @param {string} directory
 * @returns {string | undefined} what is wrong, if anything
 */
function create(directory) {
  const name = /^driver-([a-z][a-z0-9]*)$/.exec(basename(directory))?.[1];
  if (name === undefined)
    return `"${argument}" is no path that ends with driver- and a name of letters and digits`;
  if (existsSync(directory)) return `${directory} exists already; remove it or choose another name`;
  cpSync(fileURLToPath(new URL("../template", import.meta.url)), directory, { recursive: true });
  renameSync(join(directory, "src/example.ts"), join(directory, `src/${name}.ts`));
  for (const file of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    const path = join(directory, file);
    if (statSync(path).isFile()) writeFileSync(path, readFileSync(path, "utf8").replaceAll("example", name));
  }
  console.log(`${directory}: run npm install and npm test there, then write your driver in src/${name}.ts`);
  return undefined;
}
