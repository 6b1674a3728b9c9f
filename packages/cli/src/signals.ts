const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The reason of an abort by a signal. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** What a shell reports for the signal: 128 and its number. */
  readonly exitCode: number;

  constructor(signal: keyof typeof exitCodes) {
    super(`interrupted by ${signal}`);
    this.exitCode = exitCodes[signal];
  }
}

/**
 * Turn the first SIGINT, SIGTERM or SIGHUP into an abort, so that the command can clean up; the second ends the
 * process at once.
 */
export function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(exitCodes[signal]);
      controller.abort(new Interrupted(signal));
    });
  return controller.signal;
}
