import { randomBytes } from "node:crypto";
import { digestOf } from "@strata/core";
import { describe, expect, it } from "vitest";
import { artifact, bytesOf, pushImage, sampleImage } from "../support/sample.ts";
import { useServedStore } from "../support/served-store.ts";

const served = useServedStore();
const { ask } = served;

describe("content management", () => {
  const repository = "conformance/deleted";

  it("takes away a tag; the manifest stays by its digest; then the manifest; then the blobs", async () => {
    const image = await sampleImage({ files: { a: "deleted" } });
    for (const tag of ["one", "two"]) await pushImage(served.client, repository, tag, image);
    const status = async (method: string, path: string) =>
      (await ask(method, `/v2/${repository}/${path}`)).status;
    const blob = `blobs/${digestOf(image.layer)}`;

    expect(await status("DELETE", blob)).toBe(405);
    expect(await status("DELETE", "manifests/one")).toBe(202);
    expect(await status("HEAD", "manifests/one")).toBe(404);
    expect(await status("DELETE", "manifests/one")).toBe(404);
    expect(await served.client.json(`/v2/${repository}/tags/list`)).toMatchObject({ tags: ["two"] });
    expect(await status("DELETE", "manifests/two")).toBe(202);
    expect(await served.client.json(`/v2/${repository}/tags/list`)).toMatchObject({ tags: [] });
    expect(await status("GET", `manifests/${image.digest}`)).toBe(200);

    expect(await status("DELETE", `manifests/${image.digest}`)).toBe(202);
    expect(await status("GET", `manifests/${image.digest}`)).toBe(404);
    expect(await status("DELETE", `manifests/${image.digest}`)).toBe(404);
    expect(await status("GET", "tags/list")).toBe(404);

    expect(await status("DELETE", blob)).toBe(202);
    expect(await status("GET", blob)).toBe(404);
    expect(await status("DELETE", blob)).toBe(404);
  });

  it("takes away a manifest with all its tags", async () => {
    const image = await sampleImage({ files: { a: "all tags" } });
    for (const tag of ["one", "two"]) await pushImage(served.client, repository, tag, image);
    expect((await ask("DELETE", `/v2/${repository}/manifests/${image.digest}`)).status).toBe(202);
    for (const reference of ["one", "two", image.digest]) {
      expect((await ask("GET", `/v2/${repository}/manifests/${reference}`)).status).toBe(404);
    }
  });

  it("takes away a blob that no manifest has named", async () => {
    const digest = await served.client.pushBlob(repository, randomBytes(100));
    expect((await ask("DELETE", `/v2/${repository}/blobs/${digest}`)).status).toBe(202);
    expect((await ask("HEAD", `/v2/${repository}/blobs/${digest}`)).status).toBe(404);
  });

  it("takes away indexes and artifacts, by tag and by digest", async () => {
    await served.client.pushBlob(repository, Buffer.from("{}"));
    const document = artifact("example/one");
    await served.client.putManifest(repository, "artifact", document);
    const digest = digestOf(bytesOf(document));
    expect((await ask("DELETE", `/v2/${repository}/manifests/artifact`)).status).toBe(202);
    expect((await ask("GET", `/v2/${repository}/manifests/${digest}`)).status).toBe(200);
    expect((await ask("DELETE", `/v2/${repository}/manifests/${digest}`)).status).toBe(202);
    expect((await ask("GET", `/v2/${repository}/manifests/${digest}`)).status).toBe(404);
  });
});
