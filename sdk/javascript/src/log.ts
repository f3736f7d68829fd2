/** Lines of the host's log, with values that programs can search for. */

import raw from "tenon:handler/log@0.1.0";
import type { Level } from "./contract.js";
import { phase } from "./runtime/phase.js";
import { describe } from "./runtime/show.js";

export type { Level };

/** Named values of a line: what JSON can write, and errors. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Writes lines with the request's ids. `console` writes to the same log. */
export const log = {
  debug(message: string, attributes?: Attributes): void {
    write("debug", message, attributes);
  },
  info(message: string, attributes?: Attributes): void {
    write("info", message, attributes);
  },
  warn(message: string, attributes?: Attributes): void {
    write("warn", message, attributes);
  },
  error(message: string, attributes?: Attributes): void {
    write("error", message, attributes);
  },
};

/** @internal What modules write while the component is built has no reader. */
export function write(level: Level, message: string, attributes: Attributes = {}): void {
  if (phase.isBuilding) {
    return;
  }
  const fields = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({ key: key.toWellFormed(), value: json(value) }));
  raw.write(level, message.toWellFormed(), fields);
}

function json(value: unknown): string {
  const text = value instanceof Error ? describe(value) : value;
  try {
    return JSON.stringify(text) ?? String(text);
  } catch {
    // Numbers beyond JSON's, and objects that contain themselves.
    return JSON.stringify(describe(text));
  }
}
