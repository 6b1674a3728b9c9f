import { digestOf } from "@strata/core";
import { beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/client.ts";
import { artifact, bytesOf, descriptorOf, pushImage, sampleImage, types } from "../support/sample.ts";
import { useServedStore } from "../support/served-store.ts";

const served = useServedStore();
const { ask } = served;
const repo = "conformance/one";

describe("content discovery", () => {
  const repository = "conformance/tags";
  const tags = ["Upper", "a", "b", "c.d", "e"];

  beforeAll(async () => {
    const image = await sampleImage({ files: { a: "tags" } });
    for (const tag of [...tags].reverse()) await pushImage(served.client, repository, tag, image);
  });

  it("lists tags, in order", async () => {
    expect(await served.client.json(`/v2/${repository}/tags/list`)).toEqual({ name: repository, tags });
  });

  it.each([
    ["n=2", tags.slice(0, 2)],
    ["last=a", tags.slice(2)],
    ["n=2&last=a", tags.slice(2, 4)],
    ["n=0", []],
    ["n=100", tags],
    ["last=zzz", []],
    ["last=aa", tags.slice(2)],
  ])("lists a part of them: %s", async (query, expected) => {
    expect(await served.client.json(`/v2/${repository}/tags/list?${query}`)).toMatchObject({
      tags: expected,
    });
  });

  it("leads through all pages by Link", async () => {
    const pages: unknown[] = [];
    for (let next: string | undefined = `/v2/${repository}/tags/list?n=2`; next !== undefined; ) {
      const answer: Answer = await ask("GET", next);
      pages.push(JSON.parse(answer.body.toString()).tags);
      next = /^<(.+)>; rel="next"$/.exec(String(answer.headers["link"]))?.[1];
    }
    expect(pages).toEqual([["Upper", "a"], ["b", "c.d"], ["e"]]);
  });

  it("refuses a number that is none", async () => {
    expect((await ask("GET", `/v2/${repository}/tags/list?n=-1`)).status).toBe(400);
  });

  it("lists referrers, and those of a type", async () => {
    const image = await sampleImage({ files: { a: "subject" } });
    await pushImage(served.client, repository, "subject", image);
    const subject = descriptorOf(types.manifest, image.manifest);
    await served.client.pushBlob(repository, Buffer.from("{}"));
    const signature = artifact("example/signature", subject);
    const contents = artifact("example/sbom", subject);
    const typed = await sampleImage({ files: { a: "another" }, subject });
    await served.client.putManifest(repository, digestOf(bytesOf(signature)), signature);
    await served.client.putManifest(repository, "sbom", contents);
    await pushImage(served.client, repository, "typed", typed);
    const index = {
      schemaVersion: 2,
      mediaType: types.index,
      manifests: [],
      artifactType: "example/index",
      subject,
    };
    await served.client.putManifest(repository, digestOf(bytesOf(index)), index);

    const path = `/v2/${repository}/referrers/${image.digest}`;
    const all = await served.client.json(path);
    const note = (type: string) => ({ artifactType: type, annotations: { "org.example.note": type } });
    expect(all).toMatchObject({ schemaVersion: 2, mediaType: types.index });
    const byType = [
      { ...descriptorOf(types.manifest, typed.manifest), artifactType: types.config },
      { ...descriptorOf(types.manifest, signature), ...note("example/signature") },
      { ...descriptorOf(types.manifest, contents), ...note("example/sbom") },
      { ...descriptorOf(types.index, index), artifactType: "example/index" },
    ];
    expect(all).toHaveProperty("manifests", expect.arrayContaining(byType));
    expect(all).toHaveProperty("manifests.length", byType.length);

    const filtered = await ask("GET", `${path}?artifactType=example%2Fsbom`);
    expect(filtered.headers).toMatchObject({
      "content-type": types.index,
      "oci-filters-applied": "artifactType",
    });
    expect(JSON.parse(filtered.body.toString()).manifests).toEqual([byType[2]]);
    expect(await served.client.json(`/v2/${repo}/referrers/${image.digest}`)).toMatchObject({
      manifests: [],
    });
  });

  it("lists repositories, in pages", async () => {
    await pushImage(served.client, repo, "1", await sampleImage());
    const all = await served.client.json("/v2/_catalog");
    expect(all).toHaveProperty("repositories", expect.arrayContaining([repo, repository]));
    const first = await ask("GET", "/v2/_catalog?n=1");
    expect(JSON.parse(first.body.toString()).repositories).toEqual([repo]);
    expect(first.headers["link"]).toBe('</v2/_catalog?n=1&last=conformance%2Fone>; rel="next"');
  });
});
