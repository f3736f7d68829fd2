/** What must hold for a write. */

import type { RawPrecondition } from "../contract.js";

/** Nothing is there, something is there, or it has this revision. */
export type Condition = "absent" | "present" | { readonly revision: string };

/** @internal */
export function toPrecondition(condition: Condition | undefined): RawPrecondition {
  if (condition === undefined) {
    return { tag: "none" };
  }
  return typeof condition === "string" ? { tag: condition } : { tag: "revision", val: condition.revision };
}
