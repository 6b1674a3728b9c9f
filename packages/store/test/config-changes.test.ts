import { describe, expect, it } from "vitest";
import { applyConfigChanges } from "../src/config-changes.ts";

const base = {
  Env: ["PATH=/bin", "HOME=/root"],
  Cmd: ["sh"],
  Entrypoint: ["/init"],
  WorkingDir: "/srv",
  Labels: { a: "1" },
};

describe("applyConfigChanges", () => {
  it.each([
    ["CMD ls -l", { Cmd: ["/bin/sh", "-c", "ls -l"] }],
    ['cmd ["ls", "-l"]', { Cmd: ["ls", "-l"] }],
    ["CMD [ls]", { Cmd: ["/bin/sh", "-c", "[ls]"] }],
    // What was an argument of the old entrypoint is none of the new.
    ['ENTRYPOINT ["/new"]', { Entrypoint: ["/new"], Cmd: null }],
    [
      "ENV A=1 B='two words' C=\"$HOME\" D='$HOME'",
      { Env: [...base.Env, "A=1", "B=two words", "C=/root", "D=$HOME"] },
    ],
    [`ENV PATH=/sbin:${"$"}{PATH}`, { Env: ["PATH=/sbin:/bin", "HOME=/root"] }],
    ["ENV OLD the old form", { Env: [...base.Env, "OLD=the old form"] }],
    ["ENV A=b\\ c", { Env: [...base.Env, "A=b c"] }],
    [
      "EXPOSE 80 53/udp 8000-8002/TCP",
      { ExposedPorts: { "80/tcp": {}, "53/udp": {}, "8000/tcp": {}, "8001/tcp": {}, "8002/tcp": {} } },
    ],
    ['LABEL b=2 "c d"="e f"', { Labels: { a: "1", b: "2", "c d": "e f" } }],
    ["LABEL a=", { Labels: { a: "" } }],
    ["ONBUILD RUN make", { OnBuild: ["RUN make"] }],
    ["STOPSIGNAL SIGINT", { StopSignal: "SIGINT" }],
    ["USER 1000:1000", { User: "1000:1000" }],
    ["VOLUME /a /b", { Volumes: { "/a": {}, "/b": {} } }],
    ['VOLUME ["/a", "/b c"]', { Volumes: { "/a": {}, "/b c": {} } }],
    ["WORKDIR sub/../dir", { WorkingDir: "/srv/dir" }],
    ["WORKDIR /abs", { WorkingDir: "/abs" }],
  ])("%s", (line, changed) => {
    expect(applyConfigChanges(base, [line])).toEqual({ ...base, ...changed });
  });

  it("keeps a CMD that is given with an ENTRYPOINT, in either order", () => {
    for (const lines of [
      ['CMD ["x"]', 'ENTRYPOINT ["y"]'],
      ['ENTRYPOINT ["y"]', 'CMD ["x"]'],
    ]) {
      expect(applyConfigChanges(base, lines)).toMatchObject({ Cmd: ["x"], Entrypoint: ["y"] });
    }
  });

  it("sees in a line what the lines before it did", () => {
    expect(applyConfigChanges({}, ["ENV A=1", "ENV B=$A$A", "WORKDIR /x", "WORKDIR $B"])).toEqual({
      Env: ["A=1", "B=11"],
      WorkingDir: "/x/11",
    });
  });

  it("changes nothing that it was given", () => {
    const before = structuredClone(base);
    applyConfigChanges(base, ["ENV A=1", "LABEL x=y", "EXPOSE 1"]);
    expect(base).toEqual(before);
  });

  it.each([
    ["RUN x", "RUN is not one of CMD, ENTRYPOINT"],
    ["", "is not one of"],
    ["CMD", "CMD needs something after it"],
    ["ENV A", "expected NAME=value"],
    ["ENV A=1 =2", "is not NAME=value"],
    ["EXPOSE 70000", "is not a port"],
    ["EXPOSE 9-8", "is not a port"],
    ["EXPOSE http", "is not a port"],
    ["USER a b", "expected one word"],
    ["ENV A='open", "is not closed"],
    [`ENV A=${"$"}{B:-c}`, "must enclose a name"],
  ])("refuses %j", (line, says) => {
    expect(() => applyConfigChanges(base, [line])).toThrow(says);
  });
});
