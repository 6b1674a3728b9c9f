import { posix } from "node:path";
import { StrataError } from "@strata/core";
import type { ContainerConfig } from "./documents.ts";
import { type Lookup, splitWords } from "./shell-words.ts";

/** Changes a config by the rest of one line. */
type Instruction = (config: ContainerConfig, rest: string) => ContainerConfig;

const instructions: Readonly<Record<string, Instruction>> = {
  CMD: (config, rest) => ({ ...config, Cmd: command(rest) }),
  ENTRYPOINT: (config, rest) => ({ ...config, Entrypoint: command(rest) }),
  ENV: (config, rest) => ({ ...config, Env: mergeEnv(config.Env ?? [], pairs(rest, lookupIn(config))) }),
  EXPOSE: (config, rest) => ({
    ...config,
    ExposedPorts: { ...config.ExposedPorts, ...emptySet(words(config, rest).flatMap(ports)) },
  }),
  LABEL: (config, rest) => ({
    ...config,
    Labels: { ...config.Labels, ...Object.fromEntries(pairs(rest, lookupIn(config))) },
  }),
  ONBUILD: (config, rest) => ({ ...config, OnBuild: [...(config.OnBuild ?? []), rest] }),
  STOPSIGNAL: (config, rest) => ({ ...config, StopSignal: oneWord(config, rest) }),
  USER: (config, rest) => ({ ...config, User: oneWord(config, rest) }),
  VOLUME: (config, rest) => ({
    ...config,
    Volumes: { ...config.Volumes, ...emptySet(jsonTexts(rest) ?? words(config, rest)) },
  }),
  WORKDIR: (config, rest) => ({
    ...config,
    WorkingDir: posix.resolve("/", config.WorkingDir ?? "", words(config, rest).join(" ")),
  }),
};

/**
 * The config after some lines of a Dockerfile, as `commit --change` and `import --change` take them: CMD, ENTRYPOINT,
 * ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR.
 * @throws StrataError `InvalidArgument`, naming the line
 */
export function applyConfigChanges(config: ContainerConfig, changes: readonly string[]): ContainerConfig {
  const names: string[] = [];
  let changed = config;
  for (const line of changes) {
    const [, name = "", rest = ""] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(line) ?? [];
    const instruction = instructions[name.toUpperCase()];
    if (instruction === undefined) {
      throw invalid(line, `${name} is not one of ${Object.keys(instructions).join(", ")}`);
    }
    if (rest === "") throw invalid(line, `${name.toUpperCase()} needs something after it`);
    names.push(name.toUpperCase());
    changed = instruction(changed, rest);
  }
  // A new entrypoint would misread the arguments that the old one had; docker drops them too.
  return names.includes("ENTRYPOINT") && !names.includes("CMD") ? { ...changed, Cmd: null } : changed;
}

function command(rest: string): string[] {
  return jsonTexts(rest) ?? ["/bin/sh", "-c", rest];
}

/** `["a", "b"]`; what is not a list of texts in JSON is a line for the shell. */
function jsonTexts(rest: string): string[] | undefined {
  if (!rest.startsWith("[")) return undefined;
  try {
    const list: unknown = JSON.parse(rest);
    return Array.isArray(list) && list.every((item) => typeof item === "string") ? list : undefined;
  } catch {
    return undefined;
  }
}

function lookupIn({ Env }: ContainerConfig): Lookup {
  return (name) => Env?.findLast((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

function words(config: ContainerConfig, rest: string): string[] {
  return splitWords(rest, lookupIn(config));
}

function oneWord(config: ContainerConfig, rest: string): string {
  const [word, ...more] = words(config, rest);
  if (word === undefined || more.length > 0) throw invalid(rest, "expected one word");
  return word;
}

/** `A=b C="d e"`, or the old form with one name: `A b c`. */
function pairs(rest: string, lookup: Lookup): [name: string, value: string][] {
  const [first = "", ...others] = splitWords(rest, lookup);
  if (!first.includes("=")) {
    if (others.length === 0) throw invalid(rest, "expected NAME=value");
    return [[first, others.join(" ")]];
  }
  return [first, ...others].map((word) => {
    const equals = word.indexOf("=");
    if (equals <= 0) throw invalid(rest, `${JSON.stringify(word)} is not NAME=value`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function mergeEnv(env: readonly string[], added: readonly (readonly [string, string])[]): string[] {
  const merged = [...env];
  for (const [name, value] of added) {
    const at = merged.findIndex((entry) => entry.startsWith(`${name}=`));
    merged.splice(at < 0 ? merged.length : at, 1, `${name}=${value}`);
  }
  return merged;
}

/** `80`, `53/udp`, `8000-8010`. */
function ports(word: string): string[] {
  const [, from = "", to = from, protocol = "tcp"] =
    /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(word) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === "" || first < 1 || last < first || last > 65_535) throw invalid(word, "is not a port");
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol.toLowerCase()}`);
}

function emptySet(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function invalid(line: string, why: string): StrataError {
  return new StrataError("InvalidArgument", `${JSON.stringify(line)}: ${why}`);
}
