import { isStrataError } from "@strata/core";
import { parseName, parseReference } from "@strata/store";
import { describe, expect, it } from "vitest";

const hex = "0123456789abcdef".repeat(4);
const digest = `sha256:${hex}`;
const long = "a".repeat(255 - "docker.io/library/".length);

describe("references", () => {
  // text, full form, what docker prints
  it.each([
    ["debian", "docker.io/library/debian:latest", "debian:latest"],
    ["debian:12", "docker.io/library/debian:12", "debian:12"],
    ["user/app", "docker.io/user/app:latest", "user/app:latest"],
    ["user/team/app:v1", "docker.io/user/team/app:v1", "user/team/app:v1"],
    ["docker.io/debian", "docker.io/library/debian:latest", "debian:latest"],
    ["docker.io/library/debian", "docker.io/library/debian:latest", "debian:latest"],
    ["index.docker.io/debian", "docker.io/library/debian:latest", "debian:latest"],
    ["docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"],
    ["docker.io/quay.io/x", "docker.io/quay.io/x:latest", "docker.io/quay.io/x:latest"],
    ["quay.io/app", "quay.io/app:latest", "quay.io/app:latest"],
    ["quay.io/user/app:1.0", "quay.io/user/app:1.0", "quay.io/user/app:1.0"],
    ["localhost/app", "localhost/app:latest", "localhost/app:latest"],
    ["localhost:5000/app", "localhost:5000/app:latest", "localhost:5000/app:latest"],
    ["localhost:5000/user/app:1", "localhost:5000/user/app:1", "localhost:5000/user/app:1"],
    ["127.0.0.1:5000/app", "127.0.0.1:5000/app:latest", "127.0.0.1:5000/app:latest"],
    ["[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest"],
    ["Registry/app", "Registry/app:latest", "Registry/app:latest"],
    ["localhost", "docker.io/library/localhost:latest", "localhost:latest"],
    ["a__b.c---d_e:A.b-C_d", "docker.io/library/a__b.c---d_e:A.b-C_d", "a__b.c---d_e:A.b-C_d"],
    [`debian@${digest}`, `docker.io/library/debian@${digest}`, `debian@${digest}`],
    [`debian:12@${digest}`, `docker.io/library/debian:12@${digest}`, `debian:12@${digest}`],
    [`host:1/x@${digest}`, `host:1/x@${digest}`, `host:1/x@${digest}`],
    [`x:${"t".repeat(128)}`, `docker.io/library/x:${"t".repeat(128)}`, `x:${"t".repeat(128)}`],
    [hex.slice(1), `docker.io/library/${hex.slice(1)}:latest`, `${hex.slice(1)}:latest`],
    [long, `docker.io/library/${long}:latest`, `${long}:latest`],
  ])("%s", (text, full, familiar) => {
    const reference = parseReference(text);
    expect(reference.toString()).toBe(full);
    expect(reference.familiar()).toBe(familiar);
    expect(parseReference(full)).toEqual(reference);
    expect(parseReference(familiar)).toEqual(reference);
  });

  it("tells registry, repository, tag and digest apart", () => {
    expect(parseReference(`localhost:5000/user/app:1@${digest}`)).toMatchObject({
      registry: "localhost:5000",
      repository: "user/app",
      name: "localhost:5000/user/app",
      tag: "1",
      digest,
    });
  });

  it("knows whether a tag was given", () => {
    expect(parseName("debian").tag).toBeUndefined();
    expect(parseName("debian").familiar()).toBe("debian");
    expect(parseName("debian:latest").tag).toBe("latest");
  });

  it.each([
    ["", "it is empty"],
    ["Debian", "repository name (library/Debian) must be lowercase"],
    ["quay.io/User/app", "repository name (User/app) must be lowercase"],
    [hex, "is an image ID"],
    ["debian:", 'tag ""'],
    ["debian:a:b", 'tag "a:b"'],
    ["debian:-x", 'tag "-x"'],
    [`debian:${"t".repeat(129)}`, "a tag is 1 to 128"],
    ["debian@", 'digest ""'],
    ["debian@sha512:abc", 'digest "sha512:abc"'],
    [`debian@${digest}@${digest}`, "digest"],
    [`debian@sha256:${hex.toUpperCase()}`, "digest"],
    ["/debian", '"" in repository name'],
    ["debian/", '"" in repository name'],
    ["quay.io/", "the repository name is empty"],
    ["a//b", '"" in repository name'],
    ["-debian", '"-debian" in repository name'],
    ["debian-", '"debian-" in repository name'],
    ["a..b", '"a..b" in repository name'],
    ["a___b", '"a___b" in repository name'],
    ["../../etc/passwd", '".."'],
    ["a/../b", '".." in repository name'],
    ["-host.io/a", 'registry "-host.io"'],
    ["host:port/a", 'registry "host:port"'],
    ["de bian", '"de bian" in repository name'],
    ["debian\n", '"debian\\n" in repository name'],
    ["débian", '"débian" in repository name'],
    [`${long}a`, "must not be more than 255 characters"],
  ])("refuses %j", (text, why) => {
    try {
      parseReference(text);
      expect.unreachable(`${text} was taken`);
    } catch (error) {
      if (!isStrataError(error, "InvalidArgument")) throw error;
      expect(error.message).toMatch(/^invalid reference format: /);
      expect(error.message).toContain(why);
    }
  });
});
