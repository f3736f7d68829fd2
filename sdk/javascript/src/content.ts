/** Reading the content of a request. */

import { Problem, type Violation } from "./problem.js";
import type { Schema } from "./schema.js";
import { decodeText } from "./web/text.js";

/** The part of Standard Schema, version 1, that is used here. */
export interface StandardSchema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult | Promise<StandardResult>;
    readonly types?: { readonly output: T } | undefined;
  };
}

interface StandardResult {
  readonly value?: unknown;
  readonly issues?:
    | readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[]
    | undefined;
}

/** JSON of a media type such as `application/json`: 415 for another one, 400 for what is not JSON. */
export function readJson(content: Uint8Array, type: string | null): unknown {
  if (!/^\s*application\/(json|[^;\s]+\+json)\s*(;|$)/i.test(type ?? "")) {
    throw new Problem(415, "unsupported-media-type", "the content has to be `application/json`", {
      headers: { accept: "application/json" },
    });
  }
  try {
    return JSON.parse(decodeText(content)) as unknown;
  } catch (error) {
    throw new Problem(400, "invalid-json", `the content is not JSON: ${(error as Error).message}`);
  }
}

/** The value as the schema describes it: 422 with all rules that it breaks. */
export async function check<T>(value: unknown, schema: Schema<T> | StandardSchema<T>): Promise<T> {
  if ("read" in schema) {
    const errors: Violation[] = [];
    const result = schema.read(value, "", errors);
    if (errors.length > 0) {
      throw Problem.invalidContent(errors);
    }
    return result;
  }
  const { issues, value: result } = await schema["~standard"].validate(value);
  if (issues !== undefined) {
    throw Problem.invalidContent(
      issues.map(({ message, path = [] }) => ({ pointer: path.map(segment).join(""), detail: message })),
    );
  }
  return result as T;
}

function segment(part: unknown): string {
  const key = typeof part === "object" && part !== null && "key" in part ? part.key : part;
  return `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
