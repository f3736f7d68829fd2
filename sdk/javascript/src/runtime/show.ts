/** Values as text, for `console`. */

import { sourceStack } from "./stack.js";

const DEPTH_MAX = 4;

/** Arguments of `console.log` as one text; the first one may have placeholders. */
export function format(values: readonly unknown[]): string {
  const rest = [...values];
  const parts: string[] = [];
  if (typeof rest[0] === "string") {
    const text = rest.shift() as string;
    parts.push(
      text.replace(/%[sdifjoOc%]/g, (placeholder) => {
        if (placeholder === "%%") {
          return "%";
        }
        return rest.length === 0 ? placeholder : fill(placeholder, rest.shift());
      }),
    );
  }
  parts.push(...rest.map((value) => (typeof value === "string" ? value : show(value))));
  return parts.join(" ");
}

function fill(placeholder: string, value: unknown): string {
  switch (placeholder) {
    case "%s":
      return typeof value === "string" ? value : show(value);
    case "%d":
      return String(Number(value));
    case "%i":
      return String(Math.trunc(Number(value)));
    case "%f":
      return String(Number(value));
    case "%c":
      return "";
    default:
      return show(value);
  }
}

/** A value as a person reads it. */
export function show(value: unknown, depth = 0, above: readonly object[] = []): string {
  if (typeof value === "string") {
    return JSON.stringify(value);
  }
  if (typeof value === "bigint") {
    return `${String(value)}n`;
  }
  if (typeof value === "function") {
    return `[function ${value.name}]`;
  }
  if (typeof value !== "object" || value === null) {
    return String(value);
  }
  if (above.includes(value)) {
    return "[circular]";
  }
  return showObject(value, depth, [...above, value]);
}

function showObject(value: object, depth: number, above: readonly object[]): string {
  if (value instanceof Error) {
    const stack = sourceStack(value);
    return stack === "" ? describe(value) : `${describe(value)}\n${stack}`;
  }
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  }
  if (value instanceof RegExp) {
    return String(value);
  }
  const isList = Array.isArray(value) || ArrayBuffer.isView(value) || value instanceof Set;
  if (depth >= DEPTH_MAX) {
    return isList ? "[...]" : "{...}";
  }
  const inner = (item: unknown): string => show(item, depth + 1, above);
  if (isList) {
    return `[${Array.from(value as Iterable<unknown>, inner).join(", ")}]`;
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const name = (key: unknown): string => (typeof key === "string" && /^[\w$]+$/.test(key) ? key : inner(key));
  const members = entries.map(([key, item]) => `${name(key)}: ${inner(item)}`);
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

/** Name and message of an error, and those of its causes. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    return show(error);
  }
  const text = error.message === "" ? error.name : `${error.name}: ${error.message}`;
  return error.cause === undefined ? text : `${text}; because of ${describe(error.cause)}`;
}
