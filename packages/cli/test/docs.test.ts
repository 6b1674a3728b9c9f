import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { catalogue } from "../src/catalogue.ts";
import { launcher, run } from "./support/strata.ts";

const page = fileURLToPath(new URL("../../../docs/cli.md", import.meta.url));

const introduction = `# The \`strata\` command

This page holds the help of every command as the command itself prints it; a test keeps it so
(\`npx vitest run --project @strata/cli packages/cli/test/docs.test.ts -u\` writes it anew).

## What all commands share

**State** is in one directory: \`--root\`, else \`STRATA_ROOT\`, else \`/var/lib/strata\` for root and
\`\${XDG_DATA_HOME:-~/.local/share}/strata\` for others. Global options may stand before or after the command.

**The storage driver** is \`--driver\`, else \`STRATA_DRIVER\`, else the one that this root was used with before, else the
first of overlay2, btrfs and vfs that works here; \`strata info\` says which and why. Another package or a module's path will do
as well: it exports a factory under the driver's name.

**Formats.** \`--format\` takes \`table\`, \`table TEMPLATE\`, \`json\`, or a Go template for each line, with \`\\t\` and \`\\n\`.
Templates have fields, pipes, variables, \`if\`, \`range\`, \`with\`, and the functions \`and or not eq ne lt le gt ge len index
slice print printf println json split join lower upper title pad truncate\`. \`{{json .}}\` shows what fields there are.

**JSON.** With \`--json\` a command prints one JSON value on standard output; \`load\`, \`import\`, \`pull\` and \`push\`
print a line for each event, and one for each result. An error is \`{"error":{"code":...,"message":...}}\` on standard error.

| Command | Value |
|---|---|
| \`images\` | a list of \`{id, references, digest, repoDigests, created, size, labels, platform}\` |
| \`history\` | a list of \`{id, created, createdBy, size, comment, emptyLayer}\`, newest first |
| \`inspect\` | the list that it prints anyway |
| \`load\`, \`import\` | lines \`{kind: "layer", label, status, bytes, totalBytes}\`, then \`{kind: "loaded", id, references, replaced}\` for each image, or \`{kind: "imported", id}\` |
| \`pull\` | lines as of \`load\`, then \`{kind: "pulled", reference, id, digest, isNew}\` for each image |
| \`push\` | lines \`{kind: "layer", digest, label, status, bytes, totalBytes, from}\`, then \`{kind: "pushed", reference, digest, sizeBytes}\` for each tag |
| \`save -o\`, \`export -o\` | \`{path, bytes}\` |
| \`rmi\` | a list of \`{untagged}\` and \`{deleted}\` |
| \`tag\` | \`{source, target}\` |
| \`create\` | \`{id}\` |
| \`ps\` | a list of \`{id, name, imageId, image, driver, created, labels, command, mountedAt}\` |
| \`mount\` | \`{path}\` |
| \`umount\`, \`rm\` | a list of the names that it was done to |
| \`diff\` | a list of \`{kind, path}\`, with \`pathBase64\` where the path is not UTF-8 |
| \`commit\` | \`{id, size, junk}\` |
| \`login\` | \`{registry, username, keptIn}\`: the file, or the helper's program; \`{registry}\`, where what was kept serves |
| \`logout\` | \`{registry, removed}\` |
| \`search\` | a list of \`{name, description, stars, isOfficial, isAutomated}\` |
| \`tags\` | a list of tags |
| \`serve\` | a line for each event, as [registries.md](registries.md#a-registry-of-ones-own) says |
| \`df\` | \`{images, containers, blobs, staging}\`, each \`{count, active, bytes, reclaimable}\`; \`perImage\`, \`perContainer\` |
| \`check\` | a list of \`{subject, message}\` |
| \`gc\` | \`{removed, bytes}\` |
| \`info\`, \`version\` | one object |
| \`conformance\` | \`{schemaVersion: 1, driver, host, startedAt, durationMs, filter, totals, groups}\`; a group is \`{name, title, totals, behaviours}\`, a behaviour \`{id, title, status, durationMs, reason, missing, error: {message, stack}}\`, with the status \`passed\`, \`failed\` or \`skipped\`; \`totals\` counts each. A field that changes its meaning raises \`schemaVersion\` |
| \`bench\` | the results, as [bench-results.md](bench-results.md) describes them; with \`--json FILE\` they go to the file, and the table is printed as without |
| \`bench compare\` | \`{a, b, differences, pairs, onlyInA, onlyInB}\`; a pair is \`{a, b, ratio, verdict}\`, with a measurement of each |
| \`bench report\` | the results, as they are in the file |

**Exit codes**: 0, done; 1, failed, with one message on standard error; 125, the command line was not understood; 130
and 143, interrupted by SIGINT and SIGTERM, with nothing left behind (\`serve\` ends by them, with 0). \`STRATA_DEBUG=1\` adds a stack trace.
`;

async function help(...words: string[]): Promise<string> {
  const { code, stdout } = await run(process.execPath, [launcher, ...words, "--help"]);
  expect(code).toBe(0);
  return stdout.trimEnd();
}

it("docs/cli.md is what the command says of itself", async () => {
  const sections = [`## strata\n\n\`\`\`\n${await help()}\n\`\`\``];
  for (const [name, entry] of Object.entries(catalogue)) {
    if (name.startsWith("_")) continue;
    sections.push(`## strata ${name}\n\n\`\`\`\n${await help(name)}\n\`\`\``);
    // The commands of a group stand here by themselves.
    const below = "load" in entry ? Object.keys(entry.commands ?? {}) : [];
    for (const each of below)
      sections.push(`### strata ${name} ${each}\n\n\`\`\`\n${await help(name, each)}\n\`\`\``);
  }
  await expect(`${introduction}\n${sections.join("\n\n")}\n`).toMatchFileSnapshot(page);
});
