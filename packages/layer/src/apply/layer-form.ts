import type { Stat } from "@strata/linux";
import type { Unresolved } from "../settle.ts";
import type { XattrForm } from "../xattrs.ts";
import type { Attributes } from "./attributes.ts";
import type { Directory } from "./directories.ts";

/**
 * What differs between the two layouts of a layer: how it says that something of the layer below is gone, and what it
 * can know of that layer while it is being written.
 */
export interface LayerForm {
  readonly xattrForm: XattrForm;
  /** Whether what stands at this name is this layer's own, rather than of the layer below or a mark of its absence. */
  isOwn(directory: Directory, name: string, stat: Stat): boolean;
  /** A directory was made where something else had stood: it does not merge with one of the layer below. */
  madeInstead(directory: Directory): void;
  /** Take away what the layer below has at this name; what is this layer's own stays. */
  whiteout(directory: Directory, name: string): void;
  /** Take away all that the layer below has in this directory. */
  makeOpaque(directory: Directory): void;
  /**
   * The target of a hard link, if it has to be looked for in the layer below later.
   * @param stat - what stands at `target` now
   */
  lowerTarget(target: string, stat: Stat | undefined): string | undefined;
  /** Hold the place of a hard link to `target` in the layer below. Nothing may stand there. */
  deferLink(directory: Directory, name: string, target: string, attributes: Attributes): void;
  /** What must wait for the layers below. */
  unresolved(): Unresolved;
}
