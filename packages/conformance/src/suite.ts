export type { Behaviour, Group, Need } from "./behaviour.ts";
export type {
  CapabilityName,
  DriverModule,
  DriverUnderTest,
  Facility,
  Supports,
} from "./driver-under-test.ts";
export { groups } from "./groups/index.ts";
export { missingFacilities } from "./host/facilities.ts";
export { type FileSystemType, LoopFileSystem, type LoopFileSystemOptions } from "./host/loop-file-system.ts";
export { mountsBelow, Scratch } from "./host/scratch.ts";
export { type Outcome, runBehaviour } from "./run-behaviour.ts";
export { type Result, type RunOptions, runConformance } from "./run-conformance.ts";
