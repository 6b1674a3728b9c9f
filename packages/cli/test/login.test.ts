import { existsSync, readFileSync, statSync } from "node:fs";
import { run as runPeer } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DockerRegistry } from "../../registry/test/support/docker-registry.ts";
import { User } from "../../registry/test/support/user.ts";
import { launcher, type Outcome, run } from "./support/strata.ts";
import { onTerminal } from "./support/terminal.ts";

const password = "pa:ss wörd";
const unencrypted = (path: string) =>
  [
    `WARNING! Your password will be stored unencrypted in ${path}.`,
    "Configure a credential helper to remove this warning. See",
    "https://docs.docker.com/engine/reference/commandline/login/#credentials-store\n",
  ].join("\n");

let scratch: Scratch;
let user: User;
let env: Readonly<Record<string, string>>;
/** docker's file of logins. */
let config: string;

beforeEach(() => {
  scratch = new Scratch();
  user = new User(scratch);
  env = { ...user.env, DOCKER_CONFIG: user.path(".docker"), XDG_CONFIG_HOME: user.path(".config") };
  config = user.path(".docker/config.json");
});
afterEach(() => scratch[Symbol.asyncDispose]());

async function strata(args: readonly string[], input = ""): Promise<Outcome> {
  return await run(process.execPath, [launcher, ...args], { env, input });
}

const contentOf = (path: string) => JSON.parse(readFileSync(path, "utf8"));

describeWith("a registry that wants a login", ["docker-registry"], () => {
  let registry: DockerRegistry;
  let host: string;

  beforeAll(async () => {
    registry = await DockerRegistry.start({ users: { ann: password } });
    host = registry.host;
  });
  afterAll(() => registry?.[Symbol.asyncDispose]());

  /** Whether strata's other commands get in. */
  const getsIn = async () => (await strata(["search", `${host}/`])).code === 0;

  describe("login", () => {
    it("takes the password from standard input, and keeps it as docker does", async () => {
      user.write(".docker/config.json", { HttpHeaders: { a: "b" }, auths: { "other.io": { auth: "eA==" } } });
      expect(await strata(["login", "-u", "ann", "--password-stdin", host], `${password}\n`)).toEqual({
        code: 0,
        stdout: "Login Succeeded\n",
        stderr: unencrypted(config),
      });
      expect(contentOf(config)).toEqual({
        HttpHeaders: { a: "b" },
        auths: {
          "other.io": { auth: "eA==" },
          [host]: { auth: Buffer.from(`ann:${password}`).toString("base64") },
        },
      });
      expect(statSync(config).mode & 0o777).toBe(0o600);
      expect(await getsIn()).toBe(true);
    });

    it.each([
      ["http://", ""],
      ["", "/v2/"],
    ])("knows the registry however it is written: %sHOST%s", async (before, after) => {
      const { code } = await strata(["login", "-u", "ann", "-p", password, before + host + after]);
      expect(code).toBe(0);
      expect(Object.keys(contentOf(config).auths)).toEqual([host]);
    });

    it("warns of a password on the command line", async () => {
      const { code, stderr } = await strata(["login", "--username=ann", `--password=${password}`, host]);
      expect(code).toBe(0);
      expect(stderr).toBe(
        `WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n${unencrypted(config)}`,
      );
    });

    it.each([
      ["ann", "wrong secret"],
      ["bob", password],
      ["ann", `${password}\n`],
    ])("keeps nothing that the registry refuses: %j %j", async (name, secret) => {
      const outcome = await strata(["login", "-u", name, "--password-stdin", host], `${secret}\n`);
      expect(outcome).toEqual({
        code: 1,
        stdout: "",
        stderr: `Error: Login did not succeed: ${host}: access denied: unauthorized: authentication required\n`,
      });
      expect(existsSync(config)).toBe(false);
    });

    it("tries what is kept, when nothing is given", async () => {
      user.logIn({ [host]: `ann:wrong` });
      const before = readFileSync(config, "utf8");
      const refused = await strata(["login", host]);
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toMatch(
        /^Authenticating with existing credentials\.\.\.\nError: Login did not succeed: .*unauthorized/,
      );
      expect(readFileSync(config, "utf8")).toBe(before);
      await strata(["login", "-u", "ann", "--password-stdin", host], password);
      expect(await strata(["login", host])).toEqual({
        code: 0,
        stdout: "Login Succeeded\n",
        stderr: "Authenticating with existing credentials...\n",
      });
    });

    it("gives the password to a helper, where there is one, by its standard input", async () => {
      const [stored, called] = [user.path("stored"), user.path("called")];
      user.addHelper("safe", `echo "$@" >> ${called}; [ "$1" = store ] && cat > ${stored} || cat ${stored}`);
      user.write(".docker/config.json", { credsStore: "safe" });
      const args = ["--json", "login", "-u", "ann", "--password-stdin", host];
      const { code, stdout, stderr } = await strata(args, password);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(JSON.parse(stdout)).toEqual({
        registry: host,
        username: "ann",
        keptIn: "docker-credential-safe",
      });
      expect(readFileSync(called, "utf8")).toBe("store\n");
      expect(contentOf(stored)).toEqual({ ServerURL: host, Username: "ann", Secret: password });
      expect(contentOf(config)).toEqual({ credsStore: "safe", auths: { [host]: {} } });
      expect(await getsIn()).toBe(true);
    });

    it("says that nobody is there", async () => {
      const gone = await DockerRegistry.start();
      const { host: nobody } = gone;
      await gone[Symbol.asyncDispose]();
      const { code, stderr } = await strata(["login", "-u", "a", "--password-stdin", nobody], "b");
      expect(code).toBe(1);
      expect(stderr).toMatch(/^Error: Login did not succeed: .*connection refused: nothing listens there\n$/);
    });
  });

  describe("logout", () => {
    it("forgets a login", async () => {
      user.logIn({ [host]: `ann:${password}`, "other.io": "a:b", "https://index.docker.io/v1/": "c:d" });
      expect(await strata(["logout", `http://${host}`])).toEqual({
        code: 0,
        stdout: `Removing login credentials for ${host}\n`,
        stderr: "",
      });
      expect(await getsIn()).toBe(false);
      expect((await strata(["logout", host])).stdout).toBe(`Not logged in to ${host}\n`);
      expect((await strata(["logout"])).stdout).toBe("Removing login credentials for docker.io\n");
      expect(Object.keys(contentOf(config).auths)).toEqual(["other.io"]);
      expect((await strata(["logout", "--json", host])).stdout).toBe(
        `${JSON.stringify({ registry: host, removed: false })}\n`,
      );
    });

    it("says that podman's login is left", async () => {
      user.write(".config/containers/auth.json", { auths: { [host]: { auth: btoa("ann:x") } } });
      const { code, stdout, stderr } = await strata(["logout", host]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: `Not logged in to ${host}\n` });
      expect(stderr).toBe(`A login of podman's for ${host} is left, and is used: podman logout ${host}\n`);
    });
  });

  describe("on a terminal", () => {
    const state = "stty -a | grep -oE -- '-?(echo|icanon|isig)\\b' | tr '\\n' ' '";
    const command = () => `${process.execPath} ${launcher} login ${host}; echo code $?; ${state}`;

    it("asks for name and password, and shows no more than the name", async () => {
      const { raw, screen } = await onTerminal(command(), {
        env,
        keys: [
          { after: /Username: /, press: "ann\r" },
          { after: /Password: /, press: `mistyped\x15${password}ö!\x7f\x7f\r` },
        ],
      });
      expect(screen.slice(0, 2)).toEqual(["Username: ann", "Password:"]);
      expect(raw).toContain("\nLogin Succeeded\ncode 0\n");
      expect(raw).not.toContain("ss w");
      expect(raw).not.toContain("mistyped");
      expect(screen.at(-1)).toBe("isig icanon echo");
      expect(await getsIn()).toBe(true);
    });

    it("asks for what a login that is kept lacks", async () => {
      user.logIn({ [host]: `ann:wrong` });
      const { screen } = await onTerminal(command(), {
        env,
        keys: [
          { after: /Username \(ann\): /, press: "\r" },
          { after: /Password: /, press: `${password}\r` },
        ],
      });
      expect(screen[0]).toBe("Authenticating with existing credentials...");
      expect(screen[1]).toMatch(/^Login did not succeed: .*unauthorized/);
      expect(screen).toContain("Login Succeeded");
      expect(await getsIn()).toBe(true);
    });

    it.each([
      ["the name", [{ after: /Username: /, press: "an\x03" }]],
      [
        "the password",
        [
          { after: /Username: /, press: "ann\r" },
          { after: /Password: /, press: "pa\x03" },
        ],
      ],
    ])("is left with Ctrl-C at %s, as it was before", async (_what, keys) => {
      const { screen } = await onTerminal(command(), { env, keys });
      expect(screen.slice(-2)).toEqual(["code 130", "isig icanon echo"]);
      expect(existsSync(config)).toBe(false);
    });

    it.each([
      ["Non-null Username Required", [{ after: /Username: /, press: "\r" }]],
      [
        "Password Required",
        [
          { after: /Username: /, press: "ann\r" },
          { after: /Password: /, press: "\x04" },
        ],
      ],
    ])("says %s", async (message, keys) => {
      const { screen } = await onTerminal(command(), { env, keys });
      expect(screen.slice(-3)).toEqual([`Error: ${message}`, "code 1", "isig icanon echo"]);
    });
  });

  describeWith("beside docker and skopeo", ["docker", "skopeo"], () => {
    /** Docker's client logs in by itself, where there is no daemon. */
    const docker = (...args: string[]) =>
      runPeer("docker", args, { env: { ...env, DOCKER_HOST: "unix:///nonexistent" } });

    it("docker's login serves here, and ends here", async () => {
      await docker("login", "--username=ann", `--password=${password}`, host);
      expect(await getsIn()).toBe(true);
      expect((await strata(["logout", host])).stdout).toBe(`Removing login credentials for ${host}\n`);
      expect(contentOf(config).auths).toEqual({});
    });

    it("a login made here serves skopeo, and ends with docker", async () => {
      await strata(["login", "-u", "ann", "--password-stdin", host], password);
      const skopeo = ["--tls-verify=false", `docker://${host}/nothing`];
      await expect(runPeer("skopeo", ["list-tags", ...skopeo], { env })).rejects.toThrow(
        /not found|name unknown/i,
      );
      await docker("logout", host);
      expect(await getsIn()).toBe(false);
      await expect(runPeer("skopeo", ["list-tags", ...skopeo], { env })).rejects.toThrow(
        /unauthorized|authentication/i,
      );
    });

    it("skopeo's login serves here", async () => {
      const file = user.path(".config/containers/auth.json");
      user.write(".config/containers/auth.json", {});
      const skopeo = ["login", "--tls-verify=false", "--authfile", file, "-u=ann", `-p=${password}`, host];
      await runPeer("skopeo", skopeo, { env });
      expect(await getsIn()).toBe(true);
    });
  });
});

describe("login refuses", () => {
  it.each([
    [["--password-stdin"], "Must provide --username with --password-stdin"],
    [["-u", "ann", "--password-stdin"], "Password Required: standard input is empty"],
    [[], "Cannot perform an interactive login from a non TTY device"],
    [["-u", "ann"], "Cannot perform an interactive login from a non TTY device"],
    [
      ["https://ann:secret@"],
      "this names no registry: expected HOST[:PORT], such as quay.io or localhost:5000",
    ],
    [["quay"], "this names no registry: expected HOST[:PORT], such as quay.io or localhost:5000"],
  ])("%j", async (args, message) => {
    expect(await strata(["login", ...args])).toEqual({ code: 1, stdout: "", stderr: `Error: ${message}\n` });
  });

  it("a password that is given twice", async () => {
    const { code, stderr } = await strata(["login", "-p", "secret", "--password-stdin"], "secret");
    expect(code).toBe(1);
    expect(stderr).toMatch(/\nError: --password and --password-stdin are mutually exclusive\n$/);
    expect(stderr).not.toContain("secret\n");
  });
});
