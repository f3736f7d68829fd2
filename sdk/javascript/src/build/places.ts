/** A source map without what stacks do not show: columns of the sources, names, and segments on the same line as the one before. */

import { type Places, decodeNumbers, encodeNumbers } from "../runtime/stack.js";

export function compactPlaces(map: { sources: string[]; mappings: string }, rename: (source: string) => string): Places {
  let source = 0;
  let line = 0;
  const written = [0, 0];
  const lines = map.mappings.split(";").map((text) => {
    let column = 0;
    let writtenColumn = 0;
    let before: string | undefined;
    const segments: string[] = [];
    for (const segment of text === "" ? [] : text.split(",")) {
      const [columnStep = 0, sourceStep, lineStep = 0] = decodeNumbers(segment);
      column += columnStep;
      if (sourceStep === undefined) {
        continue;
      }
      source += sourceStep;
      line += lineStep;
      const place = `${String(source)}:${String(line)}`;
      if (place !== before) {
        const [sourceBefore = 0, lineBefore = 0] = written;
        segments.push(encodeNumbers([column - writtenColumn, source - sourceBefore, line - lineBefore]));
        before = place;
        writtenColumn = column;
        written[0] = source;
        written[1] = line;
      }
    }
    return segments.join(",");
  });
  return { sources: map.sources.map(rename), lines: lines.join(";") };
}
