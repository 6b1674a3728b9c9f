import { imageOf, type TestImage } from "./image.ts";
import { loadImages } from "./load.ts";
import { type OpenedStore, openStore, Scratch } from "./store.ts";

/** A store with two images that have one layer in common; `web` is a day younger, and has two references. */
export interface Sample extends AsyncDisposable {
  readonly scratch: Scratch;
  readonly opened: OpenedStore;
  readonly web: TestImage;
  readonly db: TestImage;
}

export async function sampleStore(): Promise<Sample> {
  const scratch = await Scratch.make();
  const opened = await openStore(scratch.join("store"));
  const base = { "etc/os-release": "base of all" };
  const web = await imageOf([base, { "srv/index.html": "hello" }], {
    config: { Labels: { tier: "front", stage: "" }, Cmd: ["serve"] },
    created: "2024-05-02T00:00:00Z",
  });
  const db = await imageOf([base, { "var/lib/db": "rows and rows" }], {
    config: { Labels: { tier: "back" } },
    platform: { architecture: "arm", variant: "v7" },
    created: "2024-05-01T00:00:00Z",
  });
  await loadImages(scratch, opened, [
    { image: web, tags: ["web:1"] },
    { image: db, tags: ["db:1"] },
  ]);
  await opened.store.tag("web:1", "localhost:5000/team/web:stable");
  return {
    scratch,
    opened,
    web,
    db,
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await scratch[Symbol.asyncDispose]();
    },
  };
}
