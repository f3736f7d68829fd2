/** Why a call to the store has no result, and what the client reads then. */

import type { RawItem, RawKey } from "../contract.js";
import { Problem } from "../problem.js";
import { hostCall } from "../runtime/host-call.js";
import type { Condition } from "./condition.js";

export type StorageErrorCode =
  | "invalid"
  | "too-large"
  | "throttled"
  | "unavailable"
  | "conflict"
  | "outcome-unknown"
  | "misconfigured"
  | "internal";

/** A call without a result; see `error` in `wit/storage.wit`. */
export class StorageError extends Error {
  override readonly name = "StorageError";

  constructor(
    readonly code: StorageErrorCode,
    detail: string = code,
    readonly options: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause });
  }

  /** @internal */
  toProblem(): Problem {
    const later = (detail: string, ms = 1000): Problem => {
      const seconds = Math.max(1, Math.ceil(ms / 1000));
      return new Problem(503, this.code, detail, { headers: { "retry-after": String(seconds) }, cause: this });
    };
    switch (this.code) {
      case "too-large":
        return new Problem(413, "content-too-large", `a limit of the store is exceeded: ${this.message}`);
      case "throttled":
        return later("the store asks to slow down; nothing was written", this.options.retryAfterMs);
      case "unavailable":
        return later("the store cannot be reached; nothing was written");
      case "outcome-unknown":
        return later("the write ran out of time and may or may not have happened");
      case "conflict":
        return interference();
      case "invalid":
      case "misconfigured":
      case "internal":
        return Problem.internal(this);
    }
  }
}

/** A write that did not happen, because its condition did not hold. */
export class ConditionError extends Error {
  override readonly name = "ConditionError";

  /** @internal */
  constructor(
    readonly key: RawKey,
    readonly condition: Condition,
    /** The revision of what is there instead; `undefined` if there is nothing. */
    readonly revision: string | undefined,
    /** In a transaction, the position of the operation, from 0. */
    readonly position: number | undefined = undefined,
  ) {
    super(revision === undefined ? `there is no \`${key.sort}\`` : `there is a \`${key.sort}\` with another state`);
  }

  /** @internal 404 if something should have been there, 409 if nothing should have been or it has changed. */
  toProblem(): Problem {
    if (this.condition === "absent") {
      return Problem.conflict("what the request creates is there already");
    }
    if (this.revision !== undefined) {
      return interference();
    }
    const detail = "what the request changes is not there";
    return this.position === undefined ? Problem.notFound(detail) : Problem.conflict(detail);
  }
}

/** @internal */
export function lost(key: RawKey, condition: Condition, found: RawItem | null, position?: number): ConditionError {
  return new ConditionError(key, condition, found?.revision, position);
}

/** Other requests kept changing what this request wanted to change. */
export function interference(): Problem {
  return new Problem(409, "conflict", "other requests kept interfering; nothing was written", {
    headers: { "retry-after": "1" },
  });
}

/** @internal The result of a call to the host, or its error. */
export function call<T>(work: () => T): T {
  return hostCall("the store", work, (tag, value) => {
    const isDelay = tag === "throttled" && value !== null && value !== undefined;
    return new StorageError(tag as StorageErrorCode, typeof value === "string" ? value : tag, {
      retryAfterMs: isDelay ? Number(value) : undefined,
    });
  });
}
