/** Plain values of the guest's configuration, such as those in section `[environment]` of tenon.toml. */

import raw from "wasi:cli/environment@0.2.12";
import { needHost } from "./runtime/phase.js";

/** The value of a variable; `undefined` if there is none. */
export function environment(name: string): string | undefined {
  needHost("the environment");
  return raw.getEnvironment().find(([other]) => other === name)?.[1];
}
