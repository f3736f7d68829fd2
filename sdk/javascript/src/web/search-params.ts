/** `URLSearchParams` of the web. */

/** The parameters of a query. */
export class URLSearchParams {
  #pairs: [string, string][] = [];

  constructor(init: string | Iterable<readonly [string, string]> | Readonly<Record<string, string>> = "") {
    if (typeof init === "string") {
      this.#pairs = parse(init.replace(/^\?/, ""));
    } else {
      const pairs = Symbol.iterator in init ? init : Object.entries(init);
      for (const [name, value] of pairs) {
        this.append(name, value);
      }
    }
  }

  get size(): number {
    return this.#pairs.length;
  }

  append(name: string, value: string): void {
    this.#pairs.push([String(name), String(value)]);
  }

  delete(name: string, value?: string): void {
    this.#pairs = this.#pairs.filter((pair) => !isMatch(pair, name, value));
  }

  /** The first value of a name; `null` if there is none. */
  get(name: string): string | null {
    return this.#pairs.find((pair) => pair[0] === name)?.[1] ?? null;
  }

  getAll(name: string): string[] {
    return this.#pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]);
  }

  has(name: string, value?: string): boolean {
    return this.#pairs.some((pair) => isMatch(pair, name, value));
  }

  set(name: string, value: string): void {
    const at = this.#pairs.findIndex((pair) => pair[0] === name);
    if (at < 0) {
      this.append(name, value);
      return;
    }
    this.#pairs[at] = [name, String(value)];
    this.#pairs = this.#pairs.filter((pair, position) => position <= at || pair[0] !== name);
  }

  sort(): void {
    this.#pairs.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  }

  forEach(callback: (value: string, name: string, parameters: URLSearchParams) => void): void {
    for (const [name, value] of this) {
      callback(value, name, this);
    }
  }

  *entries(): IterableIterator<[string, string]> {
    yield* this.#pairs.map(([name, value]): [string, string] => [name, value]);
  }

  *keys(): IterableIterator<string> {
    yield* this.#pairs.map(([name]) => name);
  }

  *values(): IterableIterator<string> {
    yield* this.#pairs.map(([, value]) => value);
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  toString(): string {
    return this.#pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
  }
}

function isMatch(pair: readonly [string, string], name: string, value: string | undefined): boolean {
  return pair[0] === name && (value === undefined || pair[1] === value);
}

function parse(query: string): [string, string][] {
  const pairs: [string, string][] = [];
  for (const part of query.split("&")) {
    if (part !== "") {
      const at = part.indexOf("=");
      pairs.push(at < 0 ? [decode(part), ""] : [decode(part.slice(0, at)), decode(part.slice(at + 1))]);
    }
  }
  return pairs;
}

function decode(text: string): string {
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    // Each sequence by itself, so that one that is not UTF-8 spoils only itself.
    return spaced.replace(/(?:%[0-9a-f]{2})+/gi, (sequence) => {
      try {
        return decodeURIComponent(sequence);
      } catch {
        return "\ufffd";
      }
    });
  }
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
