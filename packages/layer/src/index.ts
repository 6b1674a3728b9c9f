export type { AppliedLayer, ApplyOptions, ExpectedLayer, LayerSource } from "./apply/options.ts";
export { type Compression, decompressor, detectCompression } from "./compression.ts";
export { defaultLimits, type Limits } from "./limits.ts";
export { settleLayer, type Unresolved } from "./settle.ts";
export type { EntryType, LayerEntry } from "./tar/entry.ts";
export { LayerWorkers, type LayerWorkersOptions } from "./workers.ts";
