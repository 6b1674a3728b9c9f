import { listImages, parseImageFilter } from "@strata/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hex, type TestImage } from "./support/image.ts";
import { type Sample, sampleStore } from "./support/sample.ts";
import type { OpenedStore } from "./support/store.ts";

let sample: Sample;
let opened: OpenedStore;
let web: TestImage;
let db: TestImage;

beforeAll(async () => {
  sample = await sampleStore();
  ({ opened, web, db } = sample);
});

afterAll(async () => {
  await sample[Symbol.asyncDispose]();
});

describe("images", () => {
  it("are listed the newest first, with all that is known", async () => {
    const [first, second, ...more] = await opened.store.images();
    expect(more).toEqual([]);
    expect(first).toEqual({
      id: web.id,
      references: ["docker.io/library/web:1", "localhost:5000/team/web:stable"],
      digest: expect.stringMatching(/^sha256:/),
      repoDigests: [`docker.io/library/web@${first?.digest}`, `localhost:5000/team/web@${first?.digest}`],
      created: "2024-05-02T00:00:00Z",
      size: "base of all".length + "hello".length,
      labels: { tier: "front", stage: "" },
      platform: `linux/${process.arch === "x64" ? "amd64" : process.arch}`,
    });
    expect(second).toMatchObject({ id: db.id, platform: "linux/arm/v7" });
  });

  it.each([
    [["dangling=true"], []],
    [["dangling=false"], ["web", "db"]],
    [["label=tier"], ["web", "db"]],
    [["label=tier=front"], ["web"]],
    [["label=stage="], ["web"]],
    [["label=tier", "label=stage"], ["web"]],
    [["label=toString"], []],
    [["before=web:1"], ["db"]],
    [["before=db:1"], []],
    [["since=db:1"], ["web"]],
    [["since=web:1"], []],
    [["reference=web"], ["web"]],
    [["reference=web:1"], ["web"]],
    [["reference=web:2"], []],
    [["reference=w*"], ["web"]],
    [["reference=*:1"], ["web", "db"]],
    [["reference=?b:[0-9]"], ["db"]],
    [["reference=[^d]*:*"], ["web"]],
    [["reference=localhost:5000/*/web"], ["web"]],
    [["reference=localhost:5000/*"], []],
    [["reference=*/library/db"], ["db"]],
    [["reference=docker.io/db"], ["db"]],
    [
      ["reference=db", "reference=web"],
      ["web", "db"],
    ],
    [["reference=db", "label=tier=front"], []],
  ])("filtered by %j are %j", async (filters, names) => {
    const found = await opened.store.images({ filters: filters.map(parseImageFilter) });
    const ids = names.map((name) => ({ web, db })[name]?.id);
    expect(found.map(({ id }) => id)).toEqual(ids);
  });

  it("show only the references that were asked for", async () => {
    const [image] = await opened.store.images({ references: ["localhost:5000/team/web"] });
    expect(image?.references).toEqual(["localhost:5000/team/web:stable"]);
  });

  it.each([
    ["label", "bad format of filter"],
    ["size=1", "invalid filter 'size'"],
    ["dangling=perhaps", "invalid filter 'dangling=perhaps'"],
    ["before=nothing", "No such image: nothing"],
    ["reference=[a", "syntax error in pattern"],
  ])("refuse the filter %s", async (filter, message) => {
    await expect(async () => opened.store.images({ filters: [parseImageFilter(filter)] })).rejects.toThrow(
      message,
    );
  });

  it("are listed by root alone, without opening a driver", async () => {
    expect(await listImages({ root: opened.root })).toEqual(await opened.store.images());
  });
});

describe("resolve", () => {
  it("finds an image by whatever names it", async () => {
    const { digest } = await opened.store.resolve("web:1");
    const names = [
      "web:1",
      "docker.io/web:1",
      "localhost:5000/team/web:stable",
      `web@${digest}`,
      `web:7@${digest}`,
    ];
    const ids = [web.id, hex(web.id), hex(web.id).slice(0, 12), `sha256:${hex(web.id).slice(0, 5)}`];
    for (const text of [...names, ...ids]) expect((await opened.store.resolve(text)).id).toBe(web.id);
  });

  it("says what there is no image for", async () => {
    const { digest } = await opened.store.resolve("db:1");
    for (const text of ["web", "web:2", "none", hex(web.id).replace(/./g, "0"), `web@${digest}`]) {
      await expect(opened.store.resolve(text)).rejects.toMatchObject({
        code: "NotFound",
        message: `No such image: ${text}`,
      });
    }
    await expect(opened.store.resolve("Web")).rejects.toMatchObject({ code: "InvalidArgument" });
  });
});

describe("history", () => {
  it("is newest first, and its sizes add up to the image's", async () => {
    const history = await opened.store.history("web:1");
    expect(history).toMatchObject([
      {
        id: web.id,
        createdBy: "step 1",
        size: 5,
        references: ["docker.io/library/web:1", expect.anything()],
      },
      { createdBy: "step 0", size: 11, references: [] },
    ]);
    expect(history[1]?.id).toBeUndefined();
    const [image] = await opened.store.images({ references: ["web"] });
    expect(history.reduce((sum, { size }) => sum + size, 0)).toBe(image?.size);
  });
});

describe("inspect", () => {
  it("has docker's shape", async () => {
    const { digest } = await opened.store.resolve("web:1");
    expect(await opened.store.inspect("web:1")).toMatchObject({
      Id: web.id,
      RepoTags: ["web:1", "localhost:5000/team/web:stable"],
      RepoDigests: [`web@${digest}`, `localhost:5000/team/web@${digest}`],
      Parent: "",
      Comment: "",
      Created: "2024-05-02T00:00:00Z",
      Author: "",
      Config: { Cmd: ["serve"], Entrypoint: null, Env: null, User: "", Labels: { tier: "front" } },
      Architecture: process.arch === "x64" ? "amd64" : process.arch,
      Os: "linux",
      Size: 16,
      GraphDriver: { Name: "vfs", Data: { Dir: expect.stringContaining(opened.root) } },
      RootFS: { Type: "layers", Layers: web.diffIds },
      Metadata: { LastTagTime: "0001-01-01T00:00:00Z" },
    });
  });
});
