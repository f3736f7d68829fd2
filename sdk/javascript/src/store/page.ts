/** Lists in pages. */

import { Item } from "./key.js";

/**
 * One page of a list. As a response it is `{"items": [...], "next": "..."}`, where `next` is the cursor of the next page, and the header `link`
 * refers to that page; the last page has neither.
 */
export class Page<T> {
  constructor(
    readonly items: readonly T[],
    /** Where the next page begins; `undefined` if this is the last one. */
    readonly cursor: string | undefined,
  ) {}

  /** The same page of other items. */
  map<U>(convert: (item: T) => U): Page<U> {
    return new Page(this.items.map(convert), this.cursor);
  }

  /** The page of the items' values. */
  values<V extends object>(this: Page<Item<V>>): Page<V> {
    return this.map((item) => item.value);
  }
}
