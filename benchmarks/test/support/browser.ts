import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { Scratch } from "@strata/conformance/suite";
import { z } from "zod";

/** What a page came to in a browser. */
const seen = z.object({
  /** Each element of the class `plot`, with the canvas in it. */
  plots: z.array(z.object({ id: z.string(), width: z.number(), height: z.number(), painted: z.boolean() })),
  errors: z.array(z.string()),
  requests: z.array(z.string()),
  scrollsSideways: z.boolean(),
});

/** In the page itself, before anything of it: errors are noted, and what was drawn is looked at in the end. */
const probe = `<script>
const errors = [];
addEventListener("error", (event) => errors.push(event.message));
addEventListener("securitypolicyviolation", (event) => errors.push("blocked: " + event.blockedURI));
console.error = console.warn = (...words) => errors.push(words.join(" "));
addEventListener("load", () => setTimeout(() => {
  const plots = [...document.querySelectorAll(".plot")].map(({ id, firstElementChild }) => {
    const canvas = firstElementChild?.querySelector("canvas");
    if (!canvas || canvas.width * canvas.height === 0) return { id, width: 0, height: 0, painted: false };
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return { id, width: canvas.width, height: canvas.height, painted: pixels.some((value) => value > 0) };
  });
  const requests = performance.getEntriesByType("resource").map(({ name }) => name);
  const scrollsSideways = document.documentElement.scrollWidth > document.documentElement.clientWidth;
  const result = document.body.appendChild(document.createElement("template"));
  result.id = "seen";
  result.setAttribute("data-seen", encodeURIComponent(JSON.stringify({ plots, errors, requests, scrollsSideways })));
}, 100));
</script>`;

/** Open a page in headless Chromium, `width` pixels wide. */
export async function openInBrowser(page: string, width: number): Promise<z.infer<typeof seen>> {
  await using scratch = new Scratch();
  const path = scratch.join("page.html");
  writeFileSync(path, page.replace("<head>", `<head>${probe}`));
  const { stdout, stderr } = await promisify(execFile)(
    "chromium",
    [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      `--user-data-dir=${scratch.join("profile")}`,
      `--window-size=${width},1000`,
      "--virtual-time-budget=20000",
      "--dump-dom",
      `file://${path}`,
    ],
    { maxBuffer: 2 ** 28, timeout: 100_000 },
  );
  const [, found] = /data-seen="([^"]*)"/.exec(stdout) ?? [];
  if (found === undefined) throw new Error(`the page never came to its end: ${stderr}`);
  return seen.parse(JSON.parse(decodeURIComponent(found)));
}
