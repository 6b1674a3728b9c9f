import { copyFileSync, mkdirSync } from "node:fs";
import { ContainersStorage } from "@strata/benchmarks";
import { Scratch } from "@strata/conformance/suite";
import { User } from "../../../../../registry/test/support/user.ts";
import { Docker } from "../../support/docker.ts";
import { type Driver, Strata } from "../../support/strata.ts";
import { umociTree } from "../../support/umoci.ts";

/** What `ann` logs in with, wherever she has to. */
export const users = { ann: "secret" } as const;

/** An image as whoever pulled it has it. */
export interface PulledImage {
  readonly id: string;
  /** The path of its tree, for as long as the field is there. */
  readonly tree: string;
}

/** The tools of the field with nothing of the host's in them, and a user, `ann`, who runs them and us. */
export class Field implements AsyncDisposable {
  readonly scratch = new Scratch();
  readonly storage = new ContainersStorage();
  readonly user = new User(this.scratch);
  #docker: Docker | undefined;
  #layouts = 0;
  #certificates: string | undefined;

  constructor() {
    // They want the file to be there.
    this.user.logIn({});
  }

  /** Log in as docker's config.json has it, which all of them read. Docker itself is told by its own command. */
  async logIn(host: string): Promise<void> {
    this.user.logIn({ [host]: `ann:${users.ann}` });
    const docker = await this.docker();
    await docker.run("login", "--username=ann", `--password=${users.ann}`, host);
  }

  /** Trust an authority's certificates: the tools of the field from now on, Strata for this host. */
  trust(host: string, ca: string): void {
    this.user.configure({ [host]: { ca } });
    this.#certificates = this.scratch.join("certificates");
    mkdirSync(this.#certificates);
    copyFileSync(ca, `${this.#certificates}/ca.crt`);
  }

  /** A store of the user. */
  strata(driver: Driver, name?: string): Strata {
    return new Strata(this.scratch, driver, name, this.user.env);
  }

  /** Started when it is first asked for. */
  async docker(): Promise<Docker> {
    this.#docker ??= await Docker.start();
    return this.#docker;
  }

  async podman(command: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await this.storage.podman(command, ...this.access, ...args);
    return stdout.trimEnd();
  }

  async buildah(command: string, ...args: readonly string[]): Promise<string> {
    return await this.storage.buildah(command, ...this.access, ...args);
  }

  async skopeo(command: string, ...args: readonly string[]): Promise<string> {
    const [file, trust] = this.access;
    // A copy has two sides.
    const access =
      command === "copy" ? ["src", "dest"].map((side) => trust.replace("--", `--${side}-`)) : [trust];
    return (await this.storage.skopeo(command, file, ...access, ...args)).stdout.trimEnd();
  }

  /** What a registry has under a reference, as skopeo sees it. */
  async digestOf(reference: string): Promise<string> {
    return await this.skopeo("inspect", "--format={{.Digest}}", `docker://${reference}`);
  }

  /** Let a tool pull an image and unpack it: skopeo copies for umoci, which knows no registries. */
  async pull(
    peer: "docker" | "podman" | "umoci",
    reference: string,
    ...options: readonly string[]
  ): Promise<PulledImage> {
    if (peer === "podman") {
      const id = await this.podman("pull", "--quiet", ...options, reference);
      return { id: `sha256:${id}`, tree: await this.treeInStorage(id) };
    }
    if (peer === "docker") {
      const docker = await this.docker();
      await docker.run("pull", "--quiet", ...options, reference);
      return { id: await docker.imageId(reference), tree: await docker.tree(reference) };
    }
    this.#layouts += 1;
    const layout = this.scratch.join(`layout-${this.#layouts}`);
    await this.skopeo("copy", "--preserve-digests", `docker://${reference}`, `oci:${layout}:image`);
    const { config } = JSON.parse(await this.skopeo("inspect", "--raw", `oci:${layout}:image`));
    return { id: config.digest, tree: await umociTree(`${layout}:image`, `${layout}-bundle`) };
  }

  /** The tree of an image that Podman, Buildah and Skopeo share. */
  async treeInStorage(id: string): Promise<string> {
    return (await this.storage.podman("image", "mount", id)).stdout.trim();
  }

  /** What they are told of where the logins are, and of whom to trust: registries of this machine, if nothing else. */
  get access(): readonly [string, string] {
    const trust =
      this.#certificates === undefined ? "--tls-verify=false" : `--cert-dir=${this.#certificates}`;
    return [`--authfile=${this.user.path(".docker/config.json")}`, trust];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#docker?.[Symbol.asyncDispose]();
    await this.storage[Symbol.asyncDispose]();
    await this.scratch[Symbol.asyncDispose]();
  }
}
