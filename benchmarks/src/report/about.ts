import type { MeasuredSubject, Results } from "../results/schema.ts";
import { formatMilliseconds } from "./format.ts";

/** Host, options and what was measured, in pairs: `["CPU", "..., 2 usable"]`. */
export function aboutPairs(results: Omit<Results, "advice">): [string, string][] {
  const { host, options, strata, startedAt, durationMilliseconds, subjects } = results;
  const { scale, cache, threads, seed, archive } = options;
  const fileSystems = new Set(subjects.map(fileSystemText));
  return [
    [
      "Host",
      `${host.name}, Linux ${host.kernel} (${host.architecture}), ${host.root ? "as root" : "as an ordinary user"}`,
    ],
    ["CPU", `${host.processor}, ${host.processors} usable`],
    ["Memory", `${(host.memoryBytes / 2 ** 30).toFixed(1)} GiB`],
    ["Load", `${host.loadAverage.toFixed(2)} in the minute before`],
    ["File systems", [...fileSystems].join("; ")],
    [
      "Strata",
      `${strata.version}${strata.commit === undefined ? "" : ` (${strata.commit})`}, Node.js ${host.node}`,
    ],
    [
      "Measured",
      `${scale}, page cache ${cache}, threads ${threads.join(", ")}, ${archive === undefined ? `data made from seed ${seed}` : `with ${archive}`}`,
    ],
    ["Run", `${startedAt}, took ${formatMilliseconds(durationMilliseconds)}`],
  ];
}

function fileSystemText({ fileSystem: { type, directory, loop } }: MeasuredSubject): string {
  return loop ? `${type} in a file made for this run` : `${type} at ${directory}`;
}

/** `overlay2 0.1.0 (ext4)`, `podman 4.3.1` */
export function subjectText({ id, kind, version, fileSystem }: MeasuredSubject): string {
  return kind === "peer" || fileSystem.loop ? `${id} ${version}` : `${id} ${version} (${fileSystem.type})`;
}

/** `some-name` → `Some-name` */
export function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
