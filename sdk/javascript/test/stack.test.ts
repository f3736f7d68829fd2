import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";
import { compactPlaces } from "../src/build/places.js";
import { decodeNumbers, encodeNumbers, sourceStack } from "../src/runtime/stack.js";

test("numbers are written as source maps write them", () => {
  for (const [numbers, text] of [
    [[0], "A"],
    [[16, -1, 1], "gBDC"],
    [[123456, -15], "gkxHf"],
  ] as const) {
    equal(encodeNumbers(numbers), text);
    deepEqual(decodeNumbers(text), numbers);
  }
});

test("frames are those of the sources, without the SDK's", () => {
  const map = {
    sources: ["a.ts", "b.ts"],
    // Line 1: a.ts:1 from column 0, b.ts:3 from column 10. Line 2: nothing. Line 3: a.ts:2, twice.
    mappings: [["AAAA", "UCEA"].join(","), "", ["ADDA", "KAAE"].join(",")].join(";"),
  };
  const places = compactPlaces(map, (source) => (source === "b.ts" ? "@tenon/sdk/dist/b.js" : `src/${source}`));
  equal(places.lines, "AAA,UCE;;ADD");
  const error = new TypeError("no");
  error.stack = [
    "    at f (eval_script:1:3)",
    "    at g (eval_script:1:20)",
    "    at <anonymous> (eval_script:3:8)",
    "    at call (native)",
  ].join("\n");
  equal(sourceStack(error, places), "at f (src/a.ts:1)\nat src/a.ts:2");
});
