import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { run } from "@strata/benchmarks";
import { Scratch } from "@strata/conformance/suite";

const startTimeoutMs = 30_000;

/** A Docker daemon of our own, with nothing of the host's in it and no network; it ends when this is disposed. */
export class Docker implements AsyncDisposable {
  readonly #scratch: Scratch;
  readonly #daemon: ChildProcess;

  private constructor(scratch: Scratch, daemon: ChildProcess) {
    this.#scratch = scratch;
    this.#daemon = daemon;
  }

  static async start(): Promise<Docker> {
    const scratch = new Scratch();
    const log = openSync(scratch.join("log"), "w");
    const daemon = spawn(
      "dockerd",
      [
        ...["--data-root", scratch.join("data"), "--exec-root", scratch.join("exec")],
        ...["--host", `unix://${scratch.join("socket")}`, "--pidfile", scratch.join("pid")],
        ...["--storage-driver", "overlay2", "--iptables=false", "--bridge=none"],
      ],
      {
        stdio: ["ignore", log, log],
        env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
      },
    );
    const docker = new Docker(scratch, daemon);
    const deadline = Date.now() + startTimeoutMs;
    while (!(await docker.#answers())) {
      if (daemon.exitCode !== null || Date.now() > deadline) {
        throw new Error(`dockerd does not start; its log is ${scratch.join("log")}`);
      }
      await setTimeout(100);
    }
    return docker;
  }

  async #answers(): Promise<boolean> {
    return this.run("version").then(
      () => true,
      () => false,
    );
  }

  /** @returns what docker printed, without the line's end */
  async run(...args: readonly string[]): Promise<string> {
    // The classic builder is the one of every version, and needs no plug-in.
    const env = { DOCKER_HOST: `unix://${this.#scratch.join("socket")}`, DOCKER_BUILDKIT: "0" };
    return (await run("docker", args, { env })).stdout.trimEnd();
  }

  async load(archive: string): Promise<string> {
    return this.run("load", "--quiet", "--input", archive);
  }

  async imageId(image: string): Promise<string> {
    return this.run("image", "inspect", "--format", "{{.Id}}", image);
  }

  /**
   * The path of an image's tree as Docker's overlay2 has it on disk. A container would show what Docker adds to each
   * one (/.dockerenv, /etc/hosts and more), so the image's own layers are mounted, as Docker mounts them.
   */
  async tree(image: string): Promise<string> {
    const inspected = await this.run("image", "inspect", "--format", "{{json .GraphDriver.Data}}", image);
    const { LowerDir, UpperDir }: { LowerDir?: string; UpperDir: string } = JSON.parse(inspected);
    if (LowerDir === undefined) return UpperDir;
    const path = this.#scratch.join("trees", image.replace(/\W/g, "-"));
    mkdirSync(path, { recursive: true });
    const options = `ro,index=off,redirect_dir=off,metacopy=off,lowerdir=${UpperDir}:${LowerDir}`;
    await run("mount", ["-t", "overlay", "overlay", "-o", options, path]);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon.exitCode === null) {
      const ended = once(this.#daemon, "exit");
      this.#daemon.kill("SIGTERM");
      await ended;
    }
    await this.#scratch[Symbol.asyncDispose]();
  }
}
