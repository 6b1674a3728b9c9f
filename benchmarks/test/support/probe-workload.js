/*
 * A workload that notes what is done with it, and does what its case asks for: `act`, in the step `at`, for the subject
 * `of`. Threads import it, so it is JavaScript.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../../dist/peers/command.js";

const acts = {
  nothing: () => {},
  fail: () => {
    throw new Error("as the test wants it");
  },
  // In a thread this ends the thread.
  exit: () => process.exit(3),
  dieLater: () => {
    setTimeout(() => {
      throw new Error("later, while nothing is asked");
    }, 0);
  },
  wait: async ({ signal }) => await sleep(600_000, undefined, { signal }),
  spin: () => {
    const until = performance.now() + 1;
    while (performance.now() < until);
  },
  command: async ({ signal }) => await run("sleep", ["600"], { signal }),
  ignoreAbort: async () => await sleep(600_000),
  readFile: ({ parameters }) => readFileSync(parameters.file),
  residentPages: async (context) => {
    const { stdout } = await run("fincore", ["--noheadings", "--output", "PAGES", context.parameters.file]);
    note(context, `${stdout.trim()} pages`);
  },
};

function note({ parameters, subject, thread }, text) {
  appendFileSync(parameters.log, `${subject.id}${thread} ${text}\n`);
}

async function step(context, name) {
  note(context, name);
  const { at, of, act, before } = context.parameters;
  if (of !== undefined && of !== context.subject.id) return;
  if (name === "before one" && before !== undefined) await acts[before](context);
  if (name === at) await acts[act](context);
}

export const workload = {
  title: "Probe",
  summary: "",
  cases: () => [],
  setUp: async (context) => await step(context, "set up"),
  open: async (context) => {
    await step(context, "open");
    const operation = (name) => ({
      name,
      work: { bytes: 10 },
      before: async () => await step(context, `before ${name}`),
      run: async () => await step(context, name),
      after: async () => await step(context, `after ${name}`),
    });
    return {
      operations: [operation("one"), operation("two")],
      [Symbol.asyncDispose]: async () => {
        await step(context, `close, ${existsSync(context.directory) ? "there" : "gone"}`);
      },
    };
  },
};
