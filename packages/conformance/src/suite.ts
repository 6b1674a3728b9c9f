export type { Behaviour, Group, Need } from "./behaviour.ts";
export type {
  CapabilityName,
  DriverModule,
  DriverUnderTest,
  Facility,
  Supports,
} from "./driver-under-test.ts";
export { groups } from "./groups/index.ts";
export { limitDescriptors } from "./host/descriptors.ts";
export { DriverProcess, type DriverProcessOptions } from "./host/driver-process.ts";
export { missingFacilities, searchPath } from "./host/facilities.ts";
export { FailingDisk } from "./host/failing-disk.ts";
export { FullDisk, type FullDiskOptions } from "./host/full-disk.ts";
export { type FileSystemType, LoopFileSystem, type LoopFileSystemOptions } from "./host/loop-file-system.ts";
export { mountsBelow, Scratch } from "./host/scratch.ts";
export {
  describeFailure,
  type RandomOperationsFailure,
  type RandomOperationsOptions,
  type RandomOperationsReport,
  randomOperations,
} from "./model/random-operations.ts";
export type { Tally } from "./model/run-operations.ts";
export type { Participant } from "./model/subject.ts";
export { randomNumbers } from "./random-numbers.ts";
export { htmlReport } from "./report/html.ts";
export {
  type Host,
  makeReport,
  type Report,
  type ReportedBehaviour,
  type ReportedDriver,
  type ReportedGroup,
  reportGroup,
  type Totals,
} from "./report/report.ts";
export { aboutLines, groupLines, summaryLine } from "./report/text.ts";
export { type Outcome, runBehaviour } from "./run-behaviour.ts";
export { type Result, type RunOptions, runConformance, selects } from "./run-conformance.ts";
