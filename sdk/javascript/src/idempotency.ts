/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a request that is sent again has no further effect. Records have the form that the
 * SDK for Rust gives them.
 */

import type { Context } from "./context.js";
import { Problem } from "./problem.js";
import { sha256 } from "./sha256.js";
import { ConditionError, interference } from "./store/error.js";
import { type Key, Partition } from "./store/key.js";
import { type Operation, store } from "./store/store.js";
import { encodeText } from "./web/text.js";

const CHARACTERS_MAX = 255;
const RECORD_MS = 24 * 3_600_000;

/** What is stored of a request: the hash of what a repetition has in common with it, and its receipt. */
type Record_ = { readonly fingerprint: string } & Readonly<Record<string, unknown>>;

/** The outcome of a transaction that happens once. */
export interface Once<R> {
  /** What the request recorded with which it happened: this one, or an earlier one. */
  readonly receipt: R;
  /** Whether it happened in an earlier request. */
  readonly isRepeated: boolean;
}

/** The client's name for a request, if it sent one. 400 if it is invalid. */
export function idempotencyKey(context: Context<unknown>): IdempotencyKey | undefined {
  const field = context.request.headers.get("idempotency-key");
  return field === null ? undefined : new IdempotencyKey(nameOf(field), context);
}

/** A client's name for one logical request. */
export class IdempotencyKey {
  readonly #context: Context<unknown>;
  readonly #key: Key<Record_>;
  readonly #fingerprint: string;

  /** @internal */
  constructor(name: string, context: Context<unknown>) {
    this.#context = context;
    this.#key = new Partition<Record_>(`idempotency/${sha256(encodeText(owned(name, context)))}`).key("-");
    const { method } = context.request;
    const parts = [method, context.path, context.queryText].map(encodeText);
    const framed = parts.flatMap((part) => [lengthOf(part), part]);
    this.#fingerprint = sha256(...framed, context.request.content());
  }

  /**
   * Applies the operations, at most 99, unless a request with the same key did so within a day: then nothing is written, and the receipt is that
   * request's. The response to a repeated request gets `idempotency-replayed: true`. 422 if that request had another method, path, query
   * or content.
   */
  transact<R>(operations: readonly Operation[], receipt: R): Once<R> {
    const value = { fingerprint: this.#fingerprint, ...membersOf(receipt) };
    const expiresAt = new Date(this.#context.now.getTime() + RECORD_MS);
    try {
      store.transact([{ put: this.#key, value, if: "absent", expiresAt }, ...operations]);
      return { receipt, isRepeated: false };
    } catch (error) {
      if (!(error instanceof ConditionError) || error.position === undefined) {
        throw error;
      }
      if (error.position > 0) {
        // Without the record, which the caller does not know of.
        throw new ConditionError(error.key, error.condition, error.revision, error.position - 1);
      }
    }
    return { receipt: this.#recorded<R>(), isRepeated: true };
  }

  #recorded<R>(): R {
    const record = store.get(this.#key)?.value;
    if (record === undefined) {
      throw interference();
    }
    const { fingerprint, ...members } = record;
    if (fingerprint !== this.#fingerprint) {
      const detail = "this `Idempotency-Key` was used for another request; a new one needs a new key";
      throw new Problem(422, "idempotency-key-reused", detail);
    }
    this.#context.isReplayed = true;
    const [only, ...others] = Object.keys(members);
    return (only === "receipt" && others.length === 0 ? members["receipt"] : members) as R;
  }
}

/** The name in a field: a structured-field string (RFC 9651, 3.3.3), or, as many clients send it, the same without quotes. */
function nameOf(field: string): string {
  const quoted = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/.exec(field.trim());
  const name = quoted?.[1]?.replace(/\\(.)/g, "$1") ?? /^[!#-+\--:<-[\]-~]+$/.exec(field.trim())?.[0] ?? "";
  if (name.length < 1 || name.length > CHARACTERS_MAX) {
    const detail = `\`Idempotency-Key\` is a string of 1 to ${String(CHARACTERS_MAX)} characters, such as \`"8e03978e"\``;
    throw new Problem(400, "invalid-header", detail);
  }
  return name;
}

/** The name with its caller, each with its length, so that two callers never share a record. */
function owned(name: string, { identity, claimsText }: Context<unknown>): string {
  if (identity === undefined) {
    return `-|${name}`;
  }
  const { subject } = identity;
  const size = (text: string): string => String(encodeText(text).length);
  return subject === undefined
    ? `-${size(claimsText)}${claimsText}|${name}`
    : `${size(subject)}:${subject}|${name}`;
}

/** The members of a record for a receipt: its own, or one with it. */
function membersOf(receipt: unknown): Record<string, unknown> {
  const isObject = typeof receipt === "object" && receipt !== null && !Array.isArray(receipt);
  const members: Record<string, unknown> = isObject ? { ...receipt } : {};
  if (Object.hasOwn(members, "fingerprint")) {
    throw new TypeError("a receipt has no member `fingerprint`: the record has one of this name");
  }
  const [first] = Object.keys(members);
  return isObject && first !== "receipt" ? members : { receipt: receipt ?? null };
}

function lengthOf(part: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(part.length), true);
  return bytes;
}
