import { run } from "@strata/benchmarks";

/** Let Umoci unpack an image, given as `layout:tag`, into a bundle. @returns the path of its root file system */
export async function umociTree(image: string, bundle: string): Promise<string> {
  await run("umoci", ["unpack", "--image", image, bundle]);
  return `${bundle}/rootfs`;
}
