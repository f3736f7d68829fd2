/** Conditional requests (RFC 9110, 13). An item's entity tag is its revision in quotes, a strong tag. */

import type { RawPrecondition } from "./contract.js";
import { Problem } from "./problem.js";
import type { Headers } from "./web/headers.js";

interface Tag {
  isWeak: boolean;
  opaque: string;
}

type Tags = "*" | readonly Tag[];

/** One element of a list of entity tags (RFC 9110, 8.8.3), with what separates it from the next one. */
const ELEMENT = /(W\/)?"([\x21\x23-\x7e\x80-\uffff]*)"[ \t]*(?:,[ \t,]*|$)/y;
/** What the store makes as a revision; it refuses anything else. */
const REVISION = /^[\x21-\x5b\x5d-\x7e]{1,64}$/;

/**
 * What the client sent as `If-Match` and `If-None-Match`, from `context.conditions()`. As `if` of a write, it decides whether that happens, and
 * otherwise the client reads 412.
 */
export class Conditions {
  readonly #match: Tags | undefined;
  readonly #noneMatch: Tags | undefined;

  /** @internal 400 for a field that is invalid: to ignore it could overwrite somebody's change. */
  constructor(headers: Headers) {
    this.#match = parse("if-match", headers);
    this.#noneMatch = parse("if-none-match", headers);
  }

  /**
   * The conditions; 428 unless they are the entity tags in `If-Match`, or `If-None-Match: *`. For resources that must not be written by who has not
   * read them.
   */
  required(): this {
    if (Array.isArray(this.#match) || this.#noneMatch === "*") {
      return this;
    }
    const detail = "send `If-Match` with the entity tag that you have read, or `If-None-Match: *` to create";
    throw new Problem(428, "precondition-required", detail);
  }

  /** 412 unless the conditions hold for an item with this revision, or for none. */
  check(revision: string | undefined): void {
    const headers = revision === undefined ? {} : { etag: `"${revision}"` };
    const refuse = (detail: string): Problem => new Problem(412, "precondition-failed", detail, { headers });
    if (this.#match !== undefined && !contain(this.#match, revision, "strong")) {
      const found = revision === undefined ? "there is no item" : `the item's entity tag is \`"${revision}"\``;
      throw refuse(`\`If-Match\` does not hold: ${found}`);
    }
    if (this.isKnown(revision)) {
      throw refuse("`If-None-Match` does not hold: the item is there");
    }
  }

  /** @internal Whether the client has this state already, which a read answers with 304. */
  isKnown(revision: string | undefined): boolean {
    return this.#noneMatch !== undefined && contain(this.#noneMatch, revision, "weak");
  }

  /** @internal The precondition that a store can check by itself; `undefined` if it takes a look at the item. */
  precondition(): RawPrecondition | undefined {
    const [match, noneMatch] = [this.#match, this.#noneMatch];
    if (match === undefined) {
      return noneMatch === undefined ? { tag: "none" } : noneMatch === "*" ? { tag: "absent" } : undefined;
    }
    if (noneMatch !== undefined) {
      return undefined;
    }
    if (match === "*") {
      return { tag: "present" };
    }
    const [tag, ...others] = match;
    const isExact = tag !== undefined && others.length === 0 && !tag.isWeak && REVISION.test(tag.opaque);
    return isExact ? { tag: "revision", val: tag.opaque } : undefined;
  }
}

function parse(name: string, headers: Headers): Tags | undefined {
  const field = headers.get(name)?.trim();
  if (field === undefined || field === "*") {
    return field;
  }
  const tags: Tag[] = [];
  ELEMENT.lastIndex = /^[ \t,]*/.exec(field)?.[0].length ?? 0;
  while (ELEMENT.lastIndex < field.length) {
    const found = ELEMENT.exec(field);
    if (found === null) {
      tags.length = 0;
      break;
    }
    tags.push({ isWeak: found[1] !== undefined, opaque: found[2] ?? "" });
  }
  if (tags.length === 0) {
    const detail = `\`${name}\` is neither \`*\` nor a list of entity tags such as \`"a1"\``;
    throw new Problem(400, "invalid-header", detail);
  }
  return tags;
}

/** Whether one of the tags is that of the revision (RFC 9110, 8.8.3.2); of nothing, none is. */
function contain(tags: Tags, revision: string | undefined, comparison: "strong" | "weak"): boolean {
  if (revision === undefined) {
    return false;
  }
  return tags === "*" || tags.some(({ isWeak, opaque }) => opaque === revision && (comparison === "weak" || !isWeak));
}
