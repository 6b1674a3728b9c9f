// A process of DriverProcess: opens a driver as its first argument says, and does the steps that it is sent.
import { isStrataError } from "@strata/core";
import type { Reply, Request, Start } from "./driver-process.ts";
import { driverSteps } from "./driver-steps.ts";

/** The word must be one of the factory's module: TypeScript cannot know what that exports. */
async function openDriver({ module, options }: Start) {
  const exported = await import(module.url);
  return exported[module.factory](options);
}

function reply(message: Reply): void {
  process.send?.(JSON.stringify(message));
}

function failure(id: number, error: unknown): Reply {
  if (!(error instanceof Error)) return { id, error: { name: "Error", message: String(error) } };
  const { name, message } = error;
  return { id, error: { name, message, ...(isStrataError(error) && { code: error.code }) } };
}

// Nobody is left to be told anything.
process.on("disconnect", () => process.exit());

const start: Start = JSON.parse(process.argv[2] ?? "");
try {
  const steps = driverSteps(await openDriver(start));
  process.on("message", (text: string) => {
    const { id, step }: Request = JSON.parse(text);
    const [name, ...given] = step;
    // Steps of the same name in DriverProcess.do: the compiler has seen to their arguments there.
    const act: (...given: readonly unknown[]) => Promise<unknown> = Reflect.get(steps, name);
    act(...given).then(
      (value) => reply({ id, value }),
      (error: unknown) => reply(failure(id, error)),
    );
  });
  reply({ id: 0 });
} catch (error) {
  reply(failure(0, error));
}
