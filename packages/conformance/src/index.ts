export { describeDriver } from "./describe-driver.ts";
export { describeWith } from "./describe-with.ts";
export type {
  CapabilityName,
  DriverModule,
  DriverUnderTest,
  Facility,
  Supports,
} from "./driver-under-test.ts";
export type { FileSystemType } from "./host/loop-file-system.ts";
