/** `Headers` of the web. */

export type HeadersInit = Headers | Iterable<readonly [string, string]> | Readonly<Record<string, string>>;

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FORBIDDEN = /[\0\r\n]/;

/** Header fields. Names are in lower case; values of one name are joined with `, `, except those of `set-cookie`. */
export class Headers {
  readonly #fields: [string, string][] = [];

  constructor(init?: HeadersInit) {
    if (init === undefined) {
      return;
    }
    const fields = init instanceof Headers ? init.#fields : isIterable(init) ? init : Object.entries(init);
    for (const [name, value] of fields) {
      this.append(name, value);
    }
  }

  /** Adds a field. */
  append(name: string, value: string): void {
    this.#fields.push(check(name, value));
  }

  /** Removes the fields of a name. */
  delete(name: string): void {
    const [key] = check(name, "");
    for (let at = this.#fields.length - 1; at >= 0; at -= 1) {
      if (this.#fields[at]?.[0] === key) {
        this.#fields.splice(at, 1);
      }
    }
  }

  /** The values of a name, joined; `null` if there is none. */
  get(name: string): string | null {
    const [key] = check(name, "");
    const values = this.#fields.filter(([other]) => other === key).map(([, value]) => value);
    return values.length > 0 ? values.join(", ") : null;
  }

  /** The values of `set-cookie`. */
  getSetCookie(): string[] {
    return this.#fields.filter(([name]) => name === "set-cookie").map(([, value]) => value);
  }

  has(name: string): boolean {
    const [key] = check(name, "");
    return this.#fields.some(([other]) => other === key);
  }

  /** Replaces the fields of a name by one. */
  set(name: string, value: string): void {
    const [key, checked] = check(name, value);
    const at = this.#fields.findIndex(([other]) => other === key);
    if (at < 0) {
      this.#fields.push([key, checked]);
      return;
    }
    this.#fields[at] = [key, checked];
    for (let after = this.#fields.length - 1; after > at; after -= 1) {
      if (this.#fields[after]?.[0] === key) {
        this.#fields.splice(after, 1);
      }
    }
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void): void {
    for (const [name, value] of this) {
      callback(value, name, this);
    }
  }

  *entries(): IterableIterator<[string, string]> {
    const names = [...new Set(this.#fields.map(([name]) => name))].sort();
    for (const name of names) {
      if (name === "set-cookie") {
        yield* this.getSetCookie().map((value): [string, string] => [name, value]);
      } else {
        yield [name, this.get(name) ?? ""];
      }
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this) {
      yield name;
    }
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this) {
      yield value;
    }
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  /** @internal The fields one by one, in the order in which they were added. */
  lines(): readonly (readonly [string, string])[] {
    return this.#fields;
  }
}

function isIterable(init: HeadersInit): init is Iterable<readonly [string, string]> {
  return Symbol.iterator in init;
}

function check(name: string, value: string): [string, string] {
  if (!NAME.test(name)) {
    throw new TypeError(`\`${name}\` is not the name of a header field`);
  }
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  if (FORBIDDEN.test(text)) {
    throw new TypeError(`the value of the header field \`${name}\` has a line break or a zero`);
  }
  return [name.toLowerCase(), text];
}
