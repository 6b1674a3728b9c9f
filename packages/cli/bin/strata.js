#!/usr/bin/env node
import { existsSync } from "node:fs";

// Committed, so that npm can link the command before the first build.
const main = new URL("../dist/main.js", import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error("strata: not built yet; run `npm run build` in the checkout first");
  process.exitCode = 125;
}
