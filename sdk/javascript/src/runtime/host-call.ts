/** Calls of the host that may end in an error of its interface. */

import { thrownVariant } from "../contract.js";
import { called, needHost } from "./phase.js";

/**
 * @internal The result of a call to the host. What the interface declares as its error is thrown as `toError` makes it of the case's name
 * and value; anything else as it is.
 */
export function hostCall<T>(what: string, work: () => T, toError: (tag: string, value: unknown) => Error): T {
  needHost(what);
  called(what);
  try {
    return work();
  } catch (error) {
    const variant = thrownVariant(error);
    throw variant === undefined ? error : toError(variant.tag, variant.val);
  }
}
