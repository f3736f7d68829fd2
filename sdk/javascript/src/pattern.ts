/** Path patterns, such as `/rooms/{room}/days/{day}`, or `/files/{*path}`, whose last parameter takes the rest of the path. */

/** The parameters of a pattern: a member of type string for each. */
export type Parameters<Path extends string> = { readonly [Name in Names<Path>]: string };

type Names<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `*${infer Tail}` ? Tail : Name) | Names<Rest>
  : never;

type Segment = { kind: "literal" | "parameter" | "rest"; text: string };

export class Pattern {
  readonly #segments: Segment[];

  /** Throws if the text is not a pattern: a mistake in the program, which shows when it is built. */
  constructor(readonly text: string) {
    const mistake = (what: string) => new TypeError(`the pattern \`${text}\` ${what}`);
    if (!text.startsWith("/")) {
      throw mistake("does not begin with `/`");
    }
    this.#segments = text.slice(1).split("/").map(toSegment);
    for (const [at, { kind, text: name }] of this.#segments.entries()) {
      if (kind === "literal" && name.startsWith(":")) {
        throw mistake(`has \`${name}\`: a parameter is written \`{${name.slice(1)}}\``);
      }
      if (/[{}*]/.test(name) || (kind !== "literal" && name === "")) {
        throw mistake("has a brace or star inside a segment, or a parameter without a name");
      }
      if (kind === "rest" && at < this.#segments.length - 1) {
        throw mistake("goes on after the rest of the path");
      }
    }
  }

  /** Whether both match the same paths: their parameters may have different names. */
  isSameResource(other: Pattern): boolean {
    const shape = (pattern: Pattern): string =>
      JSON.stringify(pattern.#segments.map(({ kind, text }) => (kind === "literal" ? [text] : kind)));
    return shape(this) === shape(other);
  }

  /** The parameters of a path, and how precisely the pattern names it: the greatest text is the most precise. */
  match(path: readonly string[]): { parameters: Record<string, string>; precision: string } | undefined {
    const parameters: Record<string, string> = {};
    let precision = "";
    const last = this.#segments.at(-1);
    if (last?.kind === "rest" ? path.length < this.#segments.length : path.length !== this.#segments.length) {
      return undefined;
    }
    for (const [at, { kind, text }] of this.#segments.entries()) {
      const segment = path[at] ?? "";
      if (kind === "literal") {
        if (segment !== text) {
          return undefined;
        }
        precision += "2";
      } else {
        if (kind === "parameter" && segment === "") {
          return undefined;
        }
        parameters[text] = kind === "rest" ? path.slice(at).join("/") : segment;
        precision += kind === "rest" ? "0" : "1";
      }
    }
    return { parameters, precision };
  }
}

/** The decoded segments of a path; `undefined` if it is not percent-encoded UTF-8. */
export function segmentsOf(path: string): string[] | undefined {
  try {
    return path.replace(/^\//, "").split("/").map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function toSegment(text: string): Segment {
  const name = /^\{(\*?)(.*)\}$/.exec(text);
  if (name === null) {
    return { kind: "literal", text };
  }
  return { kind: name[1] === "*" ? "rest" : "parameter", text: name[2] ?? "" };
}
