import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { Scratch } from "@strata/conformance/suite";
import { Credentials, registryHost } from "@strata/registry";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { User } from "./support/user.ts";

let scratch: Scratch;
let user: User;
let credentials: Credentials;

beforeEach(() => {
  scratch = new Scratch();
  user = new User(scratch);
  credentials = new Credentials(user.env);
});
afterEach(() => scratch[Symbol.asyncDispose]());

const login = (text: string) => ({ auth: btoa(text) });
const ann = { username: "ann", password: "se:cret" };

describe("docker's config.json", () => {
  it.each([
    ["quay.io", "quay.io"],
    ["https://quay.io", "quay.io"],
    ["https://quay.io/v1/", "quay.io"],
    ["quay.io/v2/", "quay.io"],
    ["localhost:5000", "localhost:5000"],
    ["https://index.docker.io/v1/", "docker.io"],
    ["docker.io", "docker.io"],
    ["registry-1.docker.io", "docker.io"],
  ])("has under %s the credential for %s", async (key, registry) => {
    user.write(".docker/config.json", { auths: { [key]: login("ann:se:cret"), "other.io": login("x:y") } });
    expect(await credentials.find(registry, "a/b")).toEqual(ann);
    expect(await credentials.find("nowhere.io")).toBeUndefined();
  });

  it("lies where DOCKER_CONFIG says", async () => {
    const others = new Credentials({ ...user.env, DOCKER_CONFIG: user.path("elsewhere") });
    user.write("elsewhere/config.json", { auths: { "quay.io": login("ann:se:cret") } });
    expect(await others.find("quay.io")).toEqual(ann);
  });

  it.each([
    [{ identitytoken: "token", auth: btoa("<token>:") }, { identityToken: "token" }],
    [{ auth: btoa("<token>:token") }, { identityToken: "token" }],
    [{ username: "ann", password: "se:cret" }, ann],
    [{ auth: btoa("ann:se:cret\0\0") }, ann],
    [{ auth: btoa("no colon") }, undefined],
    [{}, undefined],
    ["nonsense", undefined],
  ])("is understood in %j", async (entry, expected) => {
    user.write(".docker/config.json", { auths: { "quay.io": entry } });
    expect(await credentials.find("quay.io")).toEqual(expected);
  });

  it("that is damaged is told of, and the next place asked; a login does not overwrite it", async () => {
    user.write(".docker/config.json", "{");
    user.write(".config/containers/auth.json", { auths: { "quay.io": login("ann:se:cret") } });
    const notices: string[] = [];
    expect(await credentials.find("quay.io", undefined, { onNotice: (text) => notices.push(text) })).toEqual(
      ann,
    );
    expect(notices).toEqual([
      `${credentials.path}: not valid JSON; mend it, or move it away and log in again`,
    ]);
    await expect(credentials.save("quay.io", ann)).rejects.toMatchObject({ code: "InvalidArgument" });
    expect(readFileSync(credentials.path, "utf8")).toBe("{");
  });
});

describe("credential helpers", () => {
  const helper = (name: string) =>
    user.addHelper(
      name,
      `read server; [ "$1" = get ] && printf '{"Username":"${name}","Secret":"%s"}' "$server"`,
    );

  it("of the registry come before that of all, and that before the file", async () => {
    helper("own");
    helper("all");
    user.write(".docker/config.json", {
      auths: { "quay.io": login("ann:secret"), "other.io": login("ann:secret") },
      credHelpers: { "quay.io": "own" },
      credsStore: "all",
    });
    expect(await credentials.find("quay.io")).toEqual({ username: "own", password: "quay.io" });
    expect(await credentials.find("other.io")).toEqual({ username: "all", password: "other.io" });
    // docker calls it so.
    expect(await credentials.find("docker.io")).toMatchObject({ password: "https://index.docker.io/v1/" });
  });

  it("that have nothing leave it to the next place", async () => {
    user.addHelper("empty", "echo 'credentials not found in native keychain'; exit 1");
    user.write(".docker/config.json", { credsStore: "empty" });
    user.write(".config/containers/auth.json", { auths: { "quay.io": login("ann:se:cret") } });
    const notices: string[] = [];
    expect(await credentials.find("quay.io", "", { onNotice: (text) => notices.push(text) })).toEqual(ann);
    expect(notices).toEqual([]);
  });

  it.each([
    ["missing", undefined, "docker-credential-missing cannot be run"],
    ["broken", "echo it is locked >&2; exit 3", "docker-credential-broken get: it is locked"],
    ["../../bin/sh", undefined, "cannot be the name of a credential helper"],
  ])("that fail are told of, not obeyed: %s", async (name, script, message) => {
    if (script !== undefined) user.addHelper(name, script);
    user.write(".docker/config.json", { credsStore: name });
    const notices: string[] = [];
    expect(await credentials.find("quay.io", "", { onNotice: (text) => notices.push(text) })).toBeUndefined();
    expect(notices).toEqual([expect.stringContaining(message)]);
    await expect(credentials.save("quay.io", ann)).rejects.toThrow("credential helper");
  });

  it("end when their caller gives up", async () => {
    user.addHelper("waiting", "exec sleep 60");
    user.write(".docker/config.json", { credsStore: "waiting" });
    const controller = new AbortController();
    const found = credentials.find("quay.io", "", { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 200);
    await expect(found).rejects.toThrow("enough");
  });

  it("keep a login, and forget it", async () => {
    user.addHelper(
      "box",
      `case $1 in
         store) cat > ${user.path("box")} ;;
         get) read s; [ -f ${user.path("box")} ] && cat ${user.path("box")} || { echo 'credentials not found'; exit 1; } ;;
         erase) rm ${user.path("box")} ;;
       esac`,
    );
    user.write(".docker/config.json", { credsStore: "box", proxies: {} });
    expect(await credentials.save("docker.io", ann)).toBe("docker-credential-box");
    expect(JSON.parse(readFileSync(user.path("box"), "utf8"))).toEqual({
      ServerURL: "https://index.docker.io/v1/",
      Username: "ann",
      Secret: "se:cret",
    });
    const kept = readFileSync(credentials.path, "utf8");
    expect(JSON.parse(kept)).toEqual({
      credsStore: "box",
      proxies: {},
      auths: { "https://index.docker.io/v1/": {} },
    });
    expect(await credentials.find("docker.io")).toEqual(ann);
    expect(await credentials.erase("docker.io")).toBe(true);
    expect(await credentials.find("docker.io")).toBeUndefined();
    expect(await credentials.erase("docker.io")).toBe(false);
  });
});

describe("podman's auth.json", () => {
  it("has keys with a path, of which the most specific counts", async () => {
    user.write(".config/containers/auth.json", {
      auths: {
        "quay.io": login("all:1"),
        "quay.io/team": login("team:1"),
        "quay.io/team/app": login("app:1"),
        "other.io/team": login("other:1"),
      },
    });
    const nameFor = async (registry: string, repository?: string) => {
      const found = await credentials.find(registry, repository);
      return found && "username" in found ? found.username : undefined;
    };
    expect(await nameFor("quay.io", "team/app")).toBe("app");
    expect(await nameFor("quay.io", "team/app/more")).toBe("app");
    expect(await nameFor("quay.io", "team/application")).toBe("team");
    expect(await nameFor("quay.io", "teams")).toBe("all");
    expect(await nameFor("quay.io")).toBe("all");
    // What is meant for a part is not shown for the rest.
    expect(await nameFor("other.io")).toBeUndefined();
    expect(await nameFor("other.io", "team2/app")).toBeUndefined();
  });

  it("lies where podman looks for it, and comes after docker's", async () => {
    const file = (name: string) => ({ auths: { "quay.io": login(`${name}:1`) } });
    user.write(".config/containers/auth.json", file("config"));
    expect(await credentials.find("quay.io")).toMatchObject({ username: "config" });
    user.write("run/containers/auth.json", file("runtime"));
    expect(await credentials.find("quay.io")).toMatchObject({ username: "runtime" });
    const path = user.write("named.json", file("named"));
    const named = new Credentials({ ...user.env, REGISTRY_AUTH_FILE: path });
    expect(await named.find("quay.io")).toMatchObject({ username: "named" });
    user.write(".docker/config.json", file("docker"));
    expect(await named.find("quay.io")).toMatchObject({ username: "docker" });
  });
});

describe("a login", () => {
  it("goes into docker's file, which only its owner may read, and leaves all else in it", async () => {
    user.write(".docker/config.json", {
      psFormat: "x",
      auths: { "a.io": login("x:y"), "https://quay.io/v1/": login("old:1") },
    });
    chmodSync(credentials.path, 0o644);
    expect(await credentials.save("quay.io", ann)).toBe(credentials.path);
    expect(statSync(credentials.path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(credentials.path, "utf8"))).toEqual({
      psFormat: "x",
      auths: { "a.io": login("x:y"), "quay.io": login("ann:se:cret") },
    });
    expect(readdirSync(user.path(".docker"))).toEqual(["config.json"]);
  });

  it("makes the file if there is none, and finds it again", async () => {
    await credentials.save("docker.io", ann);
    expect(JSON.parse(readFileSync(credentials.path, "utf8"))).toEqual({
      auths: { "https://index.docker.io/v1/": login("ann:se:cret") },
    });
    expect(statSync(user.path(".docker")).mode & 0o777).toBe(0o700);
    expect(await credentials.find("docker.io")).toEqual(ann);
    await credentials.save("docker.io", { identityToken: "token" });
    expect(await credentials.find("docker.io")).toEqual({ identityToken: "token" });
  });

  it("beside others loses none of them", async () => {
    const hosts = Array.from({ length: 20 }, (_, index) => `host${index}.io`);
    await Promise.all(hosts.map((host) => new Credentials(user.env).save(host, ann)));
    expect(Object.keys(JSON.parse(readFileSync(credentials.path, "utf8")).auths).sort()).toEqual(
      hosts.sort(),
    );
  });

  it("follows a link to where the file really is", async () => {
    mkdirSync(user.path("dotfiles"));
    mkdirSync(user.path(".docker"));
    writeFileSync(user.path("dotfiles/docker.json"), "{}");
    symlinkSync(user.path("dotfiles/docker.json"), credentials.path);
    await credentials.save("quay.io", ann);
    expect(JSON.parse(readFileSync(user.path("dotfiles/docker.json"), "utf8")).auths).toHaveProperty(
      "quay.io",
    );
  });

  it("ends with logout, under whichever name", async () => {
    user.write(".docker/config.json", {
      auths: { "https://quay.io": login("x:y"), "quay.io/team": login("t:1"), "a.io": login("x:y") },
    });
    expect(await credentials.erase("quay.io")).toBe(true);
    expect(JSON.parse(readFileSync(credentials.path, "utf8"))).toEqual({
      auths: { "a.io": login("x:y"), "quay.io/team": login("t:1") },
    });
    expect(await credentials.erase("quay.io")).toBe(false);
  });

  it.each([
    ["http://localhost:5000", "localhost:5000"],
    ["https://index.docker.io/v1/", "docker.io"],
    ["Quay.IO/", "quay.io"],
    ["registry.example.com:443", "registry.example.com"],
  ])("takes %s for %s", (address, host) => {
    expect(registryHost(address)).toBe(host);
  });
});
