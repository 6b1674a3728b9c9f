/** A behaviour that suites of others have, or that one could ask for, and that is not in this one. */
export interface LeftOut {
  readonly id: string;
  /** As in `Behaviour.origin`. */
  readonly origin: string;
  /** Why, and where it is proven instead. */
  readonly reason: string;
}

export const notInTheSuite: readonly LeftOut[] = [
  {
    id: "labels-by-path",
    origin: "C",
    reason:
      "containerd's metadata store updates labels by field paths; `setLabels` replaces the whole set (`labels-replaced`), so there are no paths",
  },
  {
    id: "inherited-labels",
    origin: "C",
    reason:
      "containerd hands labels with a prefix on to the snapshotter; here labels are never handed on, which `labels-not-inherited` proves",
  },
  {
    id: "idmap-apply",
    origin: "SU",
    reason: "neither the driver interface nor apply maps ids",
  },
  {
    id: "unmanaged-layers-repaired",
    origin: "S",
    reason:
      "layers with a digest are the store's: packages/store/test/check.test.ts and gc.test.ts. What a driver itself no longer knows of is `incomplete-removed-at-open`",
  },
  {
    id: "unused-layers-repaired",
    origin: "S",
    reason: "which layers an image needs is the store's: packages/store/test/gc.test.ts",
  },
  {
    id: "missing-layers-repaired",
    origin: "S",
    reason: "written anew from their blobs, which are the store's: packages/store/test/damage.test.ts",
  },
  {
    id: "modified-layers-repaired",
    origin: "S",
    reason:
      "compared with their blobs, and written anew from them: packages/store/test/check.test.ts and damage.test.ts",
  },
  {
    id: "repair-is-idempotent",
    origin: "N",
    reason:
      "a driver's `check` changes nothing (`check-changes-nothing`); repair is the store's: packages/store/test/check.test.ts",
  },
  {
    id: "probe-explains-unsupported, of each driver",
    origin: "S",
    reason:
      "what a driver itself needs (overlayfs in the kernel, root, btrfs) is in the tests of its probe; the suite has a root where no driver could work",
  },
  {
    id: "refuses-wrong-filesystem, of each driver",
    origin: "C",
    reason:
      "which types of file system a driver refuses is its own, and in its tests; the suite has a read-only one",
  },
  {
    id: "root-of-another-driver-refused",
    origin: "N",
    reason: "a promise of `createDriver`, not of every StorageDriver: packages/core/test/opening.test.ts",
  },
  {
    id: "damaged-record",
    origin: "N",
    reason:
      "how a record is written down is core's or the driver's own: packages/core/test/removal.test.ts. `torn-metadata` damages whatever files there are",
  },
  {
    id: "nested-overlay-whiteouts, made through a mounted tree",
    origin: "SU",
    reason:
      "the kernel refuses a device 0/0 in an overlay mount (EPERM), a plain tree takes it; the suite has layers that hold one, which is where images get them from",
  },
  {
    id: "digest-algorithm-list, of other algorithms",
    origin: "N",
    reason:
      "drivers and apply take the type Digest, which is SHA-256 only, so that `parseDigest` of core refuses md5, sha1 and sha512; digests of manifests are the store's: packages/store/test/hostile-blobs.test.ts",
  },
  {
    id: "size-short, size-long and size-negative, of a manifest's descriptor",
    origin: "U",
    reason:
      "descriptors are the store's: packages/store/test/hostile-blobs.test.ts; the suite has the size that apply is told to expect",
  },
  {
    id: "mmap-write",
    origin: "N",
    reason:
      "Node has no mmap, and the suite ships no native code; `write-in-the-middle`, `written-while-open` and `copy-file-range` make a driver copy up a file that is open for writing",
  },
];
