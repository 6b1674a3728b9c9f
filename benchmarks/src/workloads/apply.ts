import { imageLayout } from "../dataset/image.ts";
import type { TrialContext, Workload } from "../workload.ts";
import { applyCases, applyParameters, imageSpecOf } from "./apply/cases.ts";
import { type ApplyTask, openDriverTrial, openPeerTrial } from "./apply/trials.ts";

export const apply: Workload = {
  title: "Layer apply",
  summary:
    "From layers on disk to committed snapshots, digests verified; where it says durable, written to disk. Beside it " +
    "tar, which verifies no digests; umoci; and calibration, a C program that only makes the same files from memory, " +
    "none of which write to disk. What starts once, such as threads, is not counted, but that of commands is.",
  cases: applyCases,

  async setUp(context) {
    await taskOf(context);
  },

  async open(context) {
    const { subject } = context;
    const task = await taskOf(context);
    return subject.kind === "driver" ? await openDriverTrial(subject, task) : await openPeerTrial(task);
  },
};

async function taskOf(context: TrialContext): Promise<ApplyTask> {
  const parameters = applyParameters.parse(context.parameters);
  return { context, parameters, image: await imageLayout(context, imageSpecOf(parameters)) };
}
