import { describeDriver } from "@strata/conformance";
import { memory } from "./memory/under-test.ts";

describeDriver(memory);
