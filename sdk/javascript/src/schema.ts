/** Rules for content, from which its type follows. Any validator with the interface of Standard Schema (version 1) can take their place. */

import type { Violation } from "./problem.js";

/** Reads a value, or says which rules it breaks. */
export interface Schema<T> {
  read(value: unknown, pointer: string, errors: Violation[]): T;
  /** Whether the member may be missing. */
  readonly isOptional?: boolean;
}

/** The type of what a schema reads. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

type Optional<T> = { [K in keyof T as undefined extends T[K] ? K : never]?: T[K] };
type Required_<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] };
type Flat<T> = { [K in keyof T]: T[K] };
type Members<S> = { [K in keyof S]: Infer<S[K]> };

/** A text; its length is in characters (code points). */
export function string(rules: { min?: number; max?: number; pattern?: RegExp } = {}): Schema<string> {
  return rule((value, fail) => {
    if (typeof value !== "string") {
      return fail("must be a string");
    }
    const length = [...value].length;
    const { min = 0, max = Infinity } = rules;
    if (length < min || length > max) {
      return fail(`must have ${span(min, max)} characters`);
    }
    if (rules.pattern !== undefined && !rules.pattern.test(value)) {
      return fail(`must match ${String(rules.pattern)}`);
    }
    return value;
  });
}

/** A number. */
export function number(rules: { min?: number; max?: number } = {}): Schema<number> {
  return numeric("number", (value) => typeof value === "number", rules);
}

/** A whole number that is exact: at most 2^53 - 1. */
export function integer(rules: { min?: number; max?: number } = {}): Schema<number> {
  return numeric("whole number", Number.isSafeInteger, rules);
}

export function boolean(): Schema<boolean> {
  return rule((value, fail) => (typeof value === "boolean" ? value : fail("must be `true` or `false`")));
}

/** One of some texts. */
export function oneOf<const T extends string>(...values: readonly T[]): Schema<T> {
  return rule((value, fail) => {
    const found = values.find((other) => other === value);
    return found ?? fail(`must be one of ${values.map((other) => `\`${other}\``).join(", ")}`);
  });
}

/** A list. */
export function array<T>(item: Schema<T>, rules: { min?: number; max?: number } = {}): Schema<T[]> {
  return {
    read(value, pointer, errors) {
      const { min = 0, max = Infinity } = rules;
      if (!Array.isArray(value)) {
        errors.push({ pointer, detail: "must be an array" });
        return [];
      }
      if (value.length < min || value.length > max) {
        errors.push({ pointer, detail: `must have ${span(min, max)} elements` });
        return [];
      }
      return value.map((element, at) => item.read(element, `${pointer}/${String(at)}`, errors));
    },
  };
}

/** A member that may be missing. */
export function optional<T>(schema: Schema<T>): Schema<T | undefined> {
  return { ...schema, isOptional: true };
}

/** An object with these members and no others. */
export function object<S extends Readonly<Record<string, Schema<unknown>>>>(
  members: S,
): Schema<Flat<Required_<Members<S>> & Optional<Members<S>>>> {
  return {
    read(value, pointer, errors) {
      const result: Record<string, unknown> = {};
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        errors.push({ pointer, detail: "must be an object" });
        return result as never;
      }
      for (const [name, schema] of Object.entries(members)) {
        if (Object.hasOwn(value, name)) {
          result[name] = schema.read((value as Record<string, unknown>)[name], child(pointer, name), errors);
        } else if (schema.isOptional !== true) {
          errors.push({ pointer, detail: `\`${name}\` is missing` });
        }
      }
      for (const name of Object.keys(value).filter((other) => !Object.hasOwn(members, other))) {
        errors.push({ pointer: child(pointer, name), detail: "is not known" });
      }
      return result as never;
    },
  };
}

type Fail = (detail: string) => typeof FAILED;
const FAILED = Symbol("failed");

function rule<T>(check: (value: unknown, fail: Fail) => T | typeof FAILED): Schema<T> {
  return {
    read(value, pointer, errors) {
      const result = check(value, (detail) => {
        errors.push({ pointer, detail });
        return FAILED;
      });
      return result as T; // what failed is not used
    },
  };
}

function numeric(
  name: string,
  holds: (value: unknown) => boolean,
  { min = -Infinity, max = Infinity }: { min?: number; max?: number },
): Schema<number> {
  return rule((value, fail) => {
    if (!holds(value)) {
      return fail(`must be a ${name}`);
    }
    const checked = value as number;
    return checked >= min && checked <= max ? checked : fail(`must be ${span(min, max)}`);
  });
}

function span(min: number, max: number): string {
  if (max === Infinity) {
    return `at least ${String(min)}`;
  }
  return min === -Infinity ? `at most ${String(max)}` : `${String(min)} to ${String(max)}`;
}

function child(pointer: string, name: string): string {
  return `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
