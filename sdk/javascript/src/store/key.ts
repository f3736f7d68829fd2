/** Keys and items. */

import type { RawItem, RawKey } from "../contract.js";
import { Problem } from "../problem.js";
import { encodeText } from "../web/text.js";
import { StorageError } from "./error.js";

/** The key of an item whose document is a `T`. */
export interface Key<T extends object> {
  readonly partition: string;
  readonly sort: string;
  /** Only for the type checker. */
  readonly document?: T;
}

/** A named group of items, in the order of the UTF-8 bytes of their sort keys. */
export class Partition<T extends object> {
  /** Only for the type checker. */
  declare readonly document: T;

  constructor(readonly name: string) {}

  /** The key of an item of this partition. */
  key(sort: string): Key<T> {
    return { partition: this.name, sort };
  }
}

/** What is stored. As a response it is its value with an entity tag; a client that has it already gets 304. */
export class Item<T extends object> {
  /** @internal */
  constructor(
    readonly key: Key<T>,
    readonly value: T,
    /** Names this state of the item. */
    readonly revision: string,
    /** The secondary key. */
    readonly index: Key<T> | undefined,
    /** When the item counts as deleted. */
    readonly expiresAt: Date | undefined,
  ) {}
}

/** @internal */
export function toItem<T extends object>(key: RawKey, raw: RawItem | null): Item<T> | undefined {
  if (raw === null) {
    return undefined;
  }
  let value: T;
  try {
    value = JSON.parse(raw.document) as T;
  } catch (error) {
    throw new StorageError("internal", `the document of \`${key.sort}\` is not JSON`, { cause: error });
  }
  const expiresAt = raw.expiresAt === null ? undefined : new Date(Number(raw.expiresAt) * 1000);
  return new Item<T>({ ...toKey(key) }, value, raw.revision, raw.index === null ? undefined : toKey(raw.index), expiresAt);
}

/** Of a sort key, in UTF-8 (`wit/storage.wit`). */
const SORT_BYTES_MAX = 1024;

/** @internal A sort key often comes from the path: one that no item has is the client's mistake. */
export function toKey(key: RawKey): RawKey {
  const sort = key.sort.toWellFormed();
  const bytes = sort.length > SORT_BYTES_MAX / 3 ? encodeText(sort).length : sort.length;
  if (bytes < 1 || bytes > SORT_BYTES_MAX) {
    const rule = `a sort key has 1 to ${String(SORT_BYTES_MAX)} bytes, not ${String(bytes)}`;
    throw new Problem(400, "invalid-key", rule);
  }
  return { partition: key.partition.toWellFormed(), sort };
}
