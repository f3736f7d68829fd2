/**
 * Stacks in places of the sources. The build adds a table of the bundle's places as `__tenonPlaces`: the sources' names, and for each line of the
 * bundle its segments as in a source map, without columns of the sources: the column, the source and the line, each as the difference
 * to the one before, in base64 VLQ.
 */

export interface Places {
  sources: string[];
  lines: string;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** A place in a frame: `(file:line:column)`. */
const PLACE = /\(?([^\s()]+):(\d+):(\d+)\)?$/;
/** Frames of the SDK and of what the build adds say nothing about the program. */
const OWN = /^(.*\/)?@tenon\/sdk\/|^<runtime>/;

/** The stack of an error, innermost first, in places of the sources. */
export function sourceStack(error: Error, places = (globalThis as { __tenonPlaces?: Places }).__tenonPlaces): string {
  const frames = (error.stack ?? "").split("\n").map((line) => line.trim());
  const own = frames.filter((frame) => frame.startsWith("at "));
  if (places === undefined) {
    return own.join("\n");
  }
  const mapped = own.map((frame) => mapFrame(frame, places));
  return mapped.filter((frame) => frame !== undefined).join("\n");
}

function mapFrame(frame: string, places: Places): string | undefined {
  const match = PLACE.exec(frame);
  if (match === null) {
    return frame.endsWith("(native)") ? undefined : frame;
  }
  const place = find(places, Number(match[2]), Number(match[3]));
  if (place === undefined || OWN.test(place)) {
    return undefined;
  }
  const name = frame.slice(3, match.index).trim();
  return name === "" || name === "<anonymous>" ? `at ${place}` : `at ${name} (${place})`;
}

/** The source and line of a place in the bundle; both numbers begin with 1. */
function find(places: Places, line: number, column: number): string | undefined {
  let source = 0;
  let sourceLine = 0;
  let found: string | undefined;
  const lines = places.lines.split(";");
  for (const [at, segments] of lines.slice(0, line).entries()) {
    let start = 0;
    for (const segment of segments === "" ? [] : segments.split(",")) {
      const [columnStep = 0, sourceStep = 0, lineStep = 0] = decodeNumbers(segment);
      start += columnStep;
      source += sourceStep;
      sourceLine += lineStep;
      if (at === line - 1 && (found === undefined || start < column)) {
        found = `${places.sources[source] ?? "?"}:${String(sourceLine + 1)}`;
      }
    }
  }
  return found;
}

/** Numbers in base64 VLQ. */
export function decodeNumbers(text: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of text) {
    const digit = DIGITS.indexOf(character);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit < 32) {
      numbers.push(value & 1 ? -(value >> 1) : value >> 1);
      value = 0;
      shift = 0;
    }
  }
  return numbers;
}

/** The other way. */
export function encodeNumbers(numbers: readonly number[]): string {
  let text = "";
  for (const number of numbers) {
    let rest = number < 0 ? (-number << 1) | 1 : number << 1;
    do {
      const digit = rest & 31;
      rest >>>= 5;
      text += DIGITS.charAt(rest > 0 ? digit | 32 : digit);
    } while (rest > 0);
  }
  return text;
}
