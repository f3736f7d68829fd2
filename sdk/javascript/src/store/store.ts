/** The store: JSON documents under a partition and a sort key. */

import raw from "tenon:handler/storage@0.1.0";
import type {
  Consistency,
  RawOperation,
  RawPage,
  RawPrecondition,
  RawPutOutcome,
  RawQueryOptions,
  RawRange,
} from "../contract.js";
import { Conditions } from "../conditions.js";
import { Problem } from "../problem.js";
import { type Condition, toPrecondition } from "./condition.js";
import { ConditionError, StorageError, call, interference, lost } from "./error.js";
import { Item, type Key, type Partition, toItem, toKey } from "./key.js";
import { Page } from "./page.js";

/** How often `update` tries again if other requests interfere. */
const ATTEMPTS_MAX = 5;

export interface ReadOptions {
  /** `strong`, the default, sees every acknowledged write; `eventual` may lag, and costs half. */
  consistency?: Consistency;
}

export interface WriteOptions<C = Condition | Conditions> {
  /** Without a condition, whatever is there is replaced. Of the client's conditions, 412 says that they do not hold. */
  if?: C | undefined;
}

export interface PutOptions<C = Condition | Conditions> extends WriteOptions<C> {
  /** A secondary key, by which `queryIndex` finds the item. */
  index?: Key<object> | undefined;
  /** When the item counts as deleted, in whole seconds. */
  expiresAt?: Date | undefined;
}

/** Which sort keys, in which order, and how many. Bounds are inclusive. */
export interface QueryOptions extends ReadOptions {
  prefix?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  direction?: "ascending" | "descending" | undefined;
  /** Largest number of entries: 1 to 1000; 20 by default. */
  limit?: number | undefined;
  /** Where an earlier page of the same query ended. */
  cursor?: string | undefined;
}

/** One operation of a transaction: a put, a delete, or a check that writes nothing. */
export type Operation =
  | (PutOptions<Condition> & { put: Key<object>; value: object })
  | (WriteOptions<Condition> & { delete: Key<object> })
  | { check: Key<object>; if: Condition };

/** The guest's documents. Calls return at once; nothing else of the program runs meanwhile. */
export const store = {
  /** The item; `undefined` if there is none. */
  get<T extends object>(key: Key<T>, options: ReadOptions = {}): Item<T> | undefined {
    return toItem<T>(
      key,
      call(() => raw.get(toKey(key), options.consistency ?? "strong")),
    );
  },

  /** The items of 1 to 100 different keys, in their order. */
  getMany<T extends object>(keys: readonly Key<T>[], options: ReadOptions = {}): (Item<T> | undefined)[] {
    const found = call(() => raw.getMany(keys.map(toKey), options.consistency ?? "strong"));
    return keys.map((key, at) => toItem<T>(key, found[at] ?? null));
  },

  /** Writes an item. Throws a `ConditionError`, which is answered with 404 or 409, if the condition does not hold. */
  put<T extends object>(key: Key<T>, value: T, options: PutOptions = {}): Item<T> {
    const { document, options: rest } = toPut(value, options);
    const revision = conditionally(key, options.if, (precondition) => raw.put(toKey(key), document, { ...rest, precondition }));
    const item = { document, revision, index: rest.index, expiresAt: rest.expiresAt };
    return toItem<T>(key, item) as Item<T>;
  },

  /** Removes an item. Without a condition it need not be there. */
  delete<T extends object>(key: Key<T>, options: WriteOptions = {}): void {
    conditionally(key, options.if, (precondition) => {
      const outcome = raw.delete(toKey(key), precondition);
      return outcome.tag === "done" ? { tag: "done", val: "" } : outcome;
    });
  },

  /** Reads an item, changes it and writes it, again if another request interferes. 404 if there is none. Secondary key and expiry stay. */
  update<T extends object>(key: Key<T>, change: (value: T) => T, options: { if?: Conditions } = {}): Item<T> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const item = store.get(key);
      if (item === undefined) {
        throw new ConditionError(key, "present", undefined);
      }
      options.if?.check(item.revision);
      const { index, expiresAt, revision } = item;
      try {
        return store.put(key, change(item.value), { if: { revision }, index, expiresAt });
      } catch (error) {
        if (!(error instanceof ConditionError)) {
          throw error;
        }
      }
    }
    throw interference();
  },

  /** A page of a partition, in the order of the sort keys. */
  query<T extends object>(partition: Partition<T>, options: QueryOptions = {}): Page<Item<T>> {
    const { name } = partition;
    const query = toQuery(options);
    return toPage(page(query, () => raw.query(name.toWellFormed(), options.consistency ?? "strong", query)));
  },

  /** The same by secondary key, always eventual. */
  queryIndex<T extends object>(partition: Partition<T>, options: QueryOptions = {}): Page<Item<T>> {
    const query = toQuery(options);
    return toPage(page(query, () => raw.queryIndex(partition.name.toWellFormed(), query)));
  },

  /**
   * Applies 1 to 100 operations on different keys, all or nothing. Returns the new revision of each put. With a token of 1 to 36 bytes, the
   * transaction happens once within ten minutes, however often it is sent.
   */
  transact(operations: readonly Operation[], token?: string): (string | undefined)[] {
    const outcome = call(() => raw.transact(operations.map(toOperation), token ?? null));
    if (outcome.tag === "done") {
      return outcome.val.map((revision) => revision ?? undefined);
    }
    const { position, item } = outcome.val;
    const operation = operations[position];
    if (operation === undefined) {
      throw new StorageError("internal");
    }
    const key = "put" in operation ? operation.put : "delete" in operation ? operation.delete : operation.check;
    throw lost(key, operation.if ?? "present", item, position);
  },
};

/** A cursor usually comes from the query: one that is not valid is the client's mistake. */
function page(query: RawQueryOptions, work: () => RawPage): RawPage {
  try {
    return call(work);
  } catch (error) {
    if (query.cursor !== null && error instanceof StorageError && error.code === "invalid") {
      throw new Problem(400, "invalid-cursor", "`cursor` is not from an earlier page of this list", { cause: error });
    }
    throw error;
  }
}

/** Writes under a condition; returns what the store says. */
function conditionally(
  key: Key<object>,
  condition: Condition | Conditions | undefined,
  write: (precondition: RawPrecondition) => RawPutOutcome,
): string {
  if (!(condition instanceof Conditions)) {
    const outcome = call(() => write(toPrecondition(condition)));
    if (outcome.tag !== "done") {
      throw lost(key, condition ?? "present", outcome.val);
    }
    return outcome.val;
  }
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const outcome = call(() => write(condition.precondition() ?? asFound(key, condition)));
    if (outcome.tag === "done") {
      return outcome.val;
    }
    condition.check(outcome.val?.revision);
  }
  throw interference();
}

/** That what is there stays as it is, if the client's conditions hold for it. */
function asFound(key: Key<object>, conditions: Conditions): RawPrecondition {
  const revision = raw.get(toKey(key), "strong")?.revision;
  conditions.check(revision);
  return revision === undefined ? { tag: "absent" } : { tag: "revision", val: revision };
}

function toPut(value: object, options: PutOptions) {
  const index = options.index === undefined ? null : toKey(options.index);
  const expiresAt = options.expiresAt === undefined ? null : Math.floor(options.expiresAt.getTime() / 1000);
  return {
    document: JSON.stringify(value).toWellFormed(),
    options: { index, expiresAt },
  };
}

function toOperation(operation: Operation): RawOperation {
  const precondition = toPrecondition(operation.if);
  if ("put" in operation) {
    const { document, options } = toPut(operation.value, operation);
    return { tag: "put", val: { key: toKey(operation.put), document, options: { ...options, precondition } } };
  }
  return "delete" in operation
    ? { tag: "delete", val: { key: toKey(operation.delete), precondition } }
    : { tag: "check", val: { key: toKey(operation.check), precondition } };
}

function toQuery(options: QueryOptions): RawQueryOptions {
  return {
    range: toRange(options),
    direction: options.direction ?? "ascending",
    limit: options.limit ?? 20,
    cursor: options.cursor ?? null,
  };
}

function toRange({ prefix, from, to }: QueryOptions): RawRange {
  if (prefix !== undefined) {
    if (from !== undefined || to !== undefined) {
      throw new TypeError("a query has either a prefix or bounds");
    }
    return { tag: "prefix", val: prefix };
  }
  if (from !== undefined) {
    return to === undefined ? { tag: "at-least", val: from } : { tag: "between", val: [from, to] };
  }
  return to === undefined ? { tag: "all" } : { tag: "at-most", val: to };
}

function toPage<T extends object>(page: RawPage): Page<Item<T>> {
  const items = page.entries.map(({ key, item }) => toItem<T>(key, item) as Item<T>);
  return new Page(items, page.cursor ?? undefined);
}
