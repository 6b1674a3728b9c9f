import { describeWith } from "@strata/conformance";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { Authority } from "../../../../registry/test/support/certificates.ts";
import { DockerRegistry } from "../../../../registry/test/support/docker-registry.ts";
import { TokenServer } from "../../../../registry/test/support/token-server.ts";
import type { Strata } from "../support/strata.ts";
import { expectSameTree } from "../support/trees.ts";
import { Field, users } from "./support/field.ts";
import { publishSmall } from "./support/published.ts";

const service = "a registry";

describeWith(
  "a registry that wants tokens",
  ["root", "buildah", "docker-registry", "openssl", "podman"],
  () => {
    let field: Field;
    let tokens: TokenServer;
    let registry: DockerRegistry;
    let strata: Strata;

    beforeAll(async () => {
      field = new Field();
      const signing = await (await Authority.make(field.scratch)).issue("DNS:tokens");
      tokens = await TokenServer.start({ signing, service, users });
      registry = await DockerRegistry.start({
        token: { realm: tokens.realm, service, rootCertificates: signing.cert },
      });
      strata = field.strata("overlay2");
    });

    afterAll(async () => {
      await registry?.[Symbol.asyncDispose]();
      await tokens?.[Symbol.asyncDispose]();
      await field?.[Symbol.asyncDispose]();
    });

    beforeEach(() => {
      tokens.questions.length = 0;
      registry.proxy.requests.length = 0;
    });

    const logIn = (password: string) =>
      strata.run("login", "--username=ann", `--password=${password}`, registry.host);

    it("lets in whoever the token server knows", async () => {
      await expect(logIn("wrong")).rejects.toThrow(/^Error: Login did not succeed: /m);
      expect(await logIn(users.ann)).toBe("Login Succeeded");
      expect(tokens.questions.at(-1)).toMatchObject({ user: "ann", service });
      // Podman reads what Strata wrote.
      await publishSmall(field, `${registry.host}/team/app:1`);
    });

    it("gives an image that Podman pushed, for one token", async () => {
      const reference = `${registry.host}/team/app:1`;
      await strata.run("pull", reference);
      expect(tokens.questions.map(({ scopes, user }) => ({ scopes, user }))).toEqual([
        { scopes: ["repository:team/app:pull"], user: "ann" },
      ]);
      const theirs = await field.pull("podman", reference);
      expect(await strata.imageId(reference)).toBe(theirs.id);
      await expectSameTree(await strata.tree(reference), theirs.tree);
    });

    it("mounts layers from another repository, for a token for both", async () => {
      const target = `${registry.host}/other/app:1`;
      await strata.run("tag", `${registry.host}/team/app:1`, target);
      const printed = await strata.run("push", target);
      expect(printed.match(/: Mounted from team\/app$/gm)).toHaveLength(2);
      expect(tokens.questions.map(({ scopes }) => scopes)).toContainEqual(
        expect.arrayContaining(["repository:other/app:pull,push", "repository:team/app:pull"]),
      );
      expect(registry.proxy.log.filter((line) => /^(PUT|PATCH) .*\/uploads\//.test(line))).toEqual([]);
      expect((await field.pull("podman", target)).id).toBe(await strata.imageId(target));
    });

    it("gives what it has to anybody, and takes nothing from them", async () => {
      await strata.run("logout", registry.host);
      const other = field.strata("overlay2", "other");
      await other.run("pull", `${registry.host}/other/app:1`);
      expect(tokens.questions).toMatchObject([{ user: undefined }]);
      await expect(strata.run("push", `${registry.host}/other/app:1`)).rejects.toThrow(
        /denied|unauthorized/i,
      );
    });
  },
);
