/**
 * Gives a component some of the imports back that the componentizer has replaced by traps. It can replace all imports of WASI or none; without it,
 * a component would ask for files, which hosts do not have, and with it, there would be no time, no random numbers and no environment.
 *
 * The component that it writes passes instances on by aliases. An alias becomes an import with the same number. For the encoding see the
 * specification of the component model (Binary.md).
 */

import { Reader, encode, leb } from "./wasm.js";

const SECTION = { alias: 6, type: 7, import: 10 } as const;
const SORT = { core: 0, type: 3, instance: 5 } as const;
const STRING = 0x73;
const U64 = 0x77;
const U32 = 0x79;
const U8 = 0x7d;

const name = (text: string): number[] => [...leb(text.length), ...Buffer.from(text)];
const type = (...bytes: number[]): number[] => [0x01, ...bytes];
const func = (parameters: number[][], result: number): number[] =>
  type(0x40, ...leb(parameters.length), ...parameters.flat(), 0x00, result);
const exportFunc = (text: string, index: number): number[] => [0x04, 0x00, ...name(text), 0x01, index];

/** What the componentizer's engine and this package use of each interface, as the declarations of an instance's type. */
const TYPES: Readonly<Record<string, number[][]>> = {
  "wasi:random/random": [
    type(0x70, U8),
    func([[...name("len"), U64]], 0),
    exportFunc("get-random-bytes", 1),
  ],
  "wasi:clocks/wall-clock": [
    type(0x72, 2, ...name("seconds"), U64, ...name("nanoseconds"), U32),
    [0x04, 0x00, ...name("datetime"), 0x03, 0x00, 0],
    func([], 1),
    exportFunc("now", 2),
  ],
  "wasi:cli/environment": [
    type(0x6f, 2, STRING, STRING),
    type(0x70, 0),
    func([], 1),
    exportFunc("get-environment", 2),
  ],
};

/** The component with these interfaces of WASI as imports, by their names without version. */
export function unstub(component: Uint8Array, interfaces: readonly string[]): Buffer {
  const bytes = Buffer.from(component.buffer, component.byteOffset, component.byteLength);
  const parts: Buffer[] = [bytes.subarray(0, 8)];
  let types = 0;
  let found = 0;
  for (const section of sections(bytes)) {
    if (section.id === SECTION.type) {
      types += new Reader(section.content).leb();
    }
    const aliases = section.id === SECTION.alias ? [...readAliases(section.content)] : [];
    types += aliases.filter(({ sort }) => sort === SORT.type).length;
    if (!aliases.some(({ sort, name }) => sort === SORT.instance && name.startsWith("wasi:"))) {
      parts.push(section.whole);
      continue;
    }
    for (const alias of aliases) {
      const wanted = interfaces.find((other) => alias.name.startsWith(`${other}@`));
      if (wanted === undefined) {
        parts.push(encode(SECTION.alias, Buffer.from([1, ...alias.bytes])));
        continue;
      }
      const declarations = TYPES[wanted] ?? [];
      parts.push(encode(SECTION.type, Buffer.from([1, 0x42, ...leb(declarations.length), ...declarations.flat()])));
      parts.push(encode(SECTION.import, Buffer.from([1, 0x00, ...name(alias.name), 0x05, ...leb(types)])));
      types += 1;
      found += 1;
    }
  }
  if (found !== interfaces.length) {
    throw new Error(`the componentizer writes another form than this package knows: ${String(found)} imports found`);
  }
  return Buffer.concat(parts);
}

interface Section {
  id: number;
  content: Buffer;
  /** With its head. */
  whole: Buffer;
}

function* sections(component: Buffer): Generator<Section> {
  const reader = new Reader(component, 8);
  while (reader.at < component.length) {
    const start = reader.at;
    const id = reader.byte();
    const content = reader.take(reader.leb());
    if (reader.at > component.length) {
      throw new Error("the component ends early");
    }
    yield { id, content, whole: component.subarray(start, reader.at) };
  }
}

interface Alias {
  sort: number;
  /** Empty if it is not one of an export. */
  name: string;
  bytes: Buffer;
}

function* readAliases(content: Buffer): Generator<Alias> {
  const reader = new Reader(content);
  for (let rest = reader.leb(); rest > 0; rest -= 1) {
    const start = reader.at;
    const sort = reader.byte();
    if (sort === SORT.core) {
      reader.byte();
    }
    const isOuter = reader.byte() === 0x02;
    reader.leb();
    const name = isOuter ? "" : reader.name();
    if (isOuter) {
      reader.leb();
    }
    yield { sort, name, bytes: content.subarray(start, reader.at) };
  }
}
