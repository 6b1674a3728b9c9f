import type { CallOptions } from "@strata/core";

export interface CheckOptions extends CallOptions {
  /** Look at presence and sizes only, not at content. @defaultValue false */
  readonly quick?: boolean;
  /** Called with the name of what is looked at next. */
  onProgress?(subject: string): void;
}

export interface ExamineOptions extends CheckOptions {
  /** Mend what can be mended. @defaultValue false */
  readonly repair?: boolean;
}
