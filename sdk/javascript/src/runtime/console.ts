/** `console` of the web, on the log of the host. */

import type { Level } from "../contract.js";
import { write } from "../log.js";
import { format } from "./show.js";

const at =
  (level: Level) =>
  (...values: unknown[]): void => {
    write(level, format(values));
  };

/** Each method writes a line of its level; those that draw, count or measure are left out. */
export const console = {
  assert(holds?: unknown, ...values: unknown[]): void {
    if (!holds) {
      write("error", format(["assertion failed:", ...values]));
    }
  },
  debug: at("debug"),
  dir: at("info"),
  error: at("error"),
  info: at("info"),
  log: at("info"),
  trace: at("debug"),
  warn: at("warn"),
};
