import type { CapabilityName, Facility } from "./driver-under-test.ts";
import type { Trial } from "./trial.ts";

/** One thing that every driver does alike; in the suite, one test. */
export interface Behaviour {
  /** Stable, in kebab-case: what `--filter` and the documentation know it by. */
  readonly id: string;
  /** The same in words: what holds, as a sentence without its subject's name. */
  readonly title: string;
  /**
   * Whose suite tests it too: M moby, S containers/storage, C containerd, A containerd's archive package and FSSuite,
   * U umoci; N none of them.
   */
  readonly origin: string;
  /** Without these it is skipped, with the reason. @defaultValue nothing */
  readonly needs?: readonly Need[];
  /** Throws, if the behaviour does not hold. */
  readonly run: (trial: Trial) => Promise<void>;
}

/** Behaviours of one subject. */
export interface Group {
  readonly name: string;
  readonly title: string;
  readonly behaviours: readonly Behaviour[];
}

/**
 * What a behaviour can need:
 * - a capability, or `no` and a capability for what holds where it is absent;
 * - `host:` and a {@link Facility} of the host;
 * - `state on disk`: a driver that can be opened again on the same root;
 * - `processes`: a module that other processes can import, see `DriverUnderTest.module`;
 * - `inode table`: a file system under the driver whose inodes can run out.
 */
export type Need =
  | CapabilityName
  | `no ${CapabilityName}`
  | `host:${Facility}`
  | "state on disk"
  | "processes"
  | "inode table";
