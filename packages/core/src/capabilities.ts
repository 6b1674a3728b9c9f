/** Something a driver can or cannot do here, with the reason in words. */
export interface Capability {
  readonly supported: boolean;
  /** Why, for people: `overlayfs in kernel 6.18`, `needs root`, ... */
  readonly reason: string;
}

/**
 * What a driver can do on this host, under this root. Probed once, when the driver is opened. Tests and callers
 * switch on these, never on a driver's name.
 */
export interface Capabilities {
  /** A child shares its parent's files on disk until they change; prepare costs the same for any size of tree. */
  readonly sharesParent: Capability;
  /** A view cannot be written, by root neither. */
  readonly readonlyViews: Capability;
  /** An active snapshot prepared without a parent can be committed on top of one. */
  readonly rebase: Capability;
  /** Owners, devices and privileged xattrs are kept as given; needs root. */
  readonly ownership: Capability;
  /** Extended attributes (`user.*`, POSIX ACLs) are kept. */
  readonly xattrs: Capability;
  /** Names of one file in a parent remain one file when a child changes it through one of them. */
  readonly hardlinksKeptOnWrite: Capability;
  /** {@link PrepareOptions.quota} `bytes` is enforced. */
  readonly quotaBytes: Capability;
  /** {@link PrepareOptions.quota} `inodes` is enforced. */
  readonly quotaInodes: Capability;
  /** The longest chain of snapshots that can be mounted, this snapshot included. */
  readonly maxDepth: number;
}

/** Short for a {@link Capability}. */
export function supported(reason: string): Capability {
  return { supported: true, reason };
}

/** Short for a {@link Capability} that is absent. */
export function unsupported(reason: string): Capability {
  return { supported: false, reason };
}
