import { formatPlatform, hostPlatform, parsePlatform } from "@strata/store";
import { describe, expect, it } from "vitest";
import { platformRank } from "../src/platform.ts";

describe("a platform", () => {
  it.each([
    ["linux/amd64", "linux/amd64"],
    ["Linux/X86_64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v3", "linux/amd64/v3"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["linux/arm", "linux/arm/v7"],
    ["arm64", "linux/arm64"],
    ["s390x", "linux/s390x"],
    ["windows", `windows/${hostPlatform().architecture}`],
  ])("%s is %s", (text, formatted) => {
    expect(formatPlatform(parsePlatform(text))).toBe(formatted);
  });

  it.each(["", "a/b/c/d", "linux/", "linux/a b", "../x"])("is not %j", (text) => {
    expect(() => parsePlatform(text)).toThrow("expected os/architecture");
  });

  it.each([
    ["linux/amd64", "linux/amd64", 0],
    ["linux/arm64", "linux/arm64/v8", 0],
    ["linux/arm/v7", "linux/arm/v6", 1],
    ["linux/arm/v6", "linux/arm/v7", undefined],
    ["linux/arm64", "linux/arm/v7", undefined],
    ["linux/amd64", "linux/amd64/v3", undefined],
    ["linux/amd64", "windows/amd64", undefined],
  ])("%s is served by %s with rank %s", (wanted, offered, rank) => {
    expect(platformRank(parsePlatform(wanted), parsePlatform(offered))).toBe(rank);
  });
});
