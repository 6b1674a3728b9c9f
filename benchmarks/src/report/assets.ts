import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** What the page needs, as text: it is put into the page itself. */
export interface PageAssets {
  readonly plotScript: string;
  readonly plotStyle: string;
  /** Goes with the two. */
  readonly plotLicence: string;
  /** Those of `page/`, each a module. */
  readonly pageScripts: readonly string[];
}

export function pageAssets(): PageAssets {
  const { resolve } = createRequire(import.meta.url);
  return {
    plotScript: readFileSync(resolve("uplot/dist/uPlot.iife.min.js"), "utf8"),
    plotStyle: readFileSync(resolve("uplot/dist/uPlot.min.css"), "utf8"),
    plotLicence: readFileSync(resolve("uplot/LICENSE"), "utf8"),
    pageScripts: ["draw", "save"].map((name) =>
      readFileSync(new URL(`./page/${name}.js`, import.meta.url), "utf8").replace(/^\/\/# source.*$/m, ""),
    ),
  };
}
