/**
 * The engine of components: QuickJS as componentize-qjs has it, changed so that a component follows from the program alone.
 *
 * While the program's modules are evaluated, the componentizer gives the engine the clock and the random numbers of the machine, and both stay in the
 * component: as seeds of hash tables, which decide where entries lie, and of the engine's own random numbers. Here, functions of the engine
 * take the places of the host's: the seed of hash tables is always 0, and clocks stand at 0 until the modules are evaluated.
 *
 * And endless recursion becomes an error of the program. The engine leaves its own check out where it is compiled to WebAssembly, so that the host ends
 * the component, which then can say nothing. Here, calls are counted.
 */

import { MAGIC, Reader, SECTION, type Section, append, customName, encode, functionBody, leaves, leb, sectionsOf, signedLeb } from "./wasm.js";

const [IF, ELSE, END, RETURN, CALL, GET_LOCAL, GET_GLOBAL, SET_GLOBAL] = [0x04, 0x05, 0x0b, 0x0f, 0x10, 0x20, 0x23, 0x24] as const;
const [I32_GREATER, I32_ADD, I32_SUBTRACT] = [0x4a, 0x6a, 0x6b] as const;
const [EMPTY, I32_TYPE, I64_TYPE] = [0x40, 0x7f, 0x7e] as const;

interface NumberType {
  constant: number;
  store: number;
  align: number;
}

const I32: NumberType = { constant: 0x41, store: 0x36, align: 2 };
const I64: NumberType = { constant: 0x42, store: 0x37, align: 3 };

/** Stores zeros at offsets from the address in the first parameter. */
const storeZeros = (...fields: [NumberType, number][]): number[] =>
  fields.flatMap(([type, offset]) => [GET_LOCAL, 0, type.constant, 0, type.store, type.align, offset]);

/** Imports and what is called in their places: the import itself is a function of the host, and a global says whether the modules are evaluated. */
const REPLACED: { module: string; field: string; body: (host: number[], isBuilt: number[]) => number[] }[] = [
  {
    module: "wasi:random/insecure-seed",
    field: "insecure-seed",
    body: () => storeZeros([I64, 0], [I64, 8]),
  },
  {
    module: "wasi:clocks/wall-clock",
    field: "now",
    body: (host, isBuilt) => [
      GET_GLOBAL, ...isBuilt, IF, EMPTY, GET_LOCAL, 0, CALL, ...host, ELSE, ...storeZeros([I64, 0], [I32, 8]), END,
    ],
  },
  {
    module: "wasi:clocks/monotonic-clock",
    field: "now",
    body: (host, isBuilt) => [GET_GLOBAL, ...isBuilt, IF, I64_TYPE, CALL, ...host, ELSE, I64.constant, 0, END],
  },
];
/** The export that evaluates the modules. */
const INIT = "init";

/**
 * How deep calls may be. One from a function of the program to another is 1. One from the engine's own functions, such as `map`, is more, because they
 * need more of the stack: without a limit, a component ends at some 700 of the first kind, and at some 100 to 170 of the second.
 */
const CALL_DEPTH_MAX = 500;
const ENGINE_CALL_DEPTH = 5;
/** What the engine's check would say. */
const TOO_DEEP = Buffer.from("\0Maximum call stack size exceeded\0");
/** The value that says that there is an exception: its tag is 6 (quickjs.h, `JS_TAG_EXCEPTION`), and values are 64 bits. */
const EXCEPTION = [I64.constant, 0x80, 0x80, 0x80, 0x80, 0xe0, 0x00];

/** The changed engine, from the componentizer's native library, which contains its engines. */
export function deterministicEngine(library: Buffer): Buffer {
  const sections = engineIn(library);
  const content = (id: number): Buffer => sections.find((section) => section.id === id)?.content ?? fail("a section is missing");
  const imports = [...readImports(content(SECTION.import))];
  const functions = imports.filter(({ kind }) => kind === 0);
  const types = [...readNumbers(content(SECTION.function))];
  const added = functions.length + types.length;
  const hosts = REPLACED.map(({ module, field }) => {
    const at = functions.findIndex((other) => other.module.startsWith(`${module}@`) && other.field === field);
    return at >= 0 ? at : fail(`it does not import \`${field}\` of \`${module}\``);
  });
  const globals = imports.filter(({ kind }) => kind === 3).length + new Reader(content(SECTION.global)).leb();
  const [isBuilt, depth] = [leb(globals), leb(globals + 1)];
  const init = [...readExports(content(SECTION.export))].find(({ field }) => field === INIT) ?? fail("it has no `init`");
  const typeOf = (index: number): number => types[index - functions.length] ?? fail("a function has no type");
  const initType = typeOf(init.index);
  const parameters = parameterCount(content(SECTION.type), initType);
  const interpreter = findInterpreter(content(SECTION.code), content(SECTION.data), functions.length);
  const interpreterType = typeOf(interpreter.index);
  const interpreterParameters = parameterCount(content(SECTION.type), interpreterType);
  const bodies = [
    ...REPLACED.map(({ body }, at) => body(leb(hosts[at] ?? 0), isBuilt)),
    [
      ...Array.from({ length: parameters }, (_, at) => [GET_LOCAL, ...leb(at)]).flat(),
      CALL, ...leb(init.index), I32.constant, 1, SET_GLOBAL, ...isBuilt,
    ],
    ...[1, ENGINE_CALL_DEPTH].map((cost) => countedCall(interpreter, interpreterParameters, depth, cost)),
  ];
  const calls = new Map(hosts.map((host, at) => [host, added + at]));
  const [fromProgram, fromEngine] = [added + REPLACED.length + 1, added + REPLACED.length + 2];
  const callsIn = (index: number): Map<number, number> =>
    new Map([...calls, [interpreter.index, index === interpreter.index ? fromProgram : fromEngine]]);
  const changes: Partial<Record<number, (bytes: Buffer) => Buffer>> = {
    [SECTION.function]: (bytes) => append(bytes, [...hosts.map((host) => functions[host]?.type ?? 0), initType, interpreterType, interpreterType].map(leb)),
    [SECTION.global]: (bytes) => append(bytes, [1, 2].map(() => [I32_TYPE, 1, I32.constant, 0, END])),
    [SECTION.export]: (bytes) => withInit(bytes, added + REPLACED.length),
    [SECTION.code]: (bytes) => append(withCalls(bytes, functions.length, callsIn), bodies.map((body) => functionBody([...body, END]))),
  };
  const parts = sections.map(({ id, content: bytes }) => encode(id, changes[id]?.(bytes) ?? bytes));
  return Buffer.concat([MAGIC, ...parts]);
}

function fail(why: string): never {
  throw new Error(`the engine of componentize-qjs has another form than the one of version 0.4.5: ${why}`);
}

/** The sections of the fastest engine without asynchronous calls: the largest of those without their built-in functions. */
function engineIn(library: Buffer): Section[] {
  const found: { sections: Section[]; bytes: number }[] = [];
  for (let at = library.indexOf(MAGIC); at >= 0; at = library.indexOf(MAGIC, at + 1)) {
    const sections = [...sectionsOf(library, at + MAGIC.length)];
    const [first] = sections;
    const isLibrary = first?.id === SECTION.custom && customName(first.content) === "dylink.0";
    const code = sections.find(({ id }) => id === SECTION.code);
    const imports = sections.find(({ id }) => id === SECTION.import);
    const isAsync = imports !== undefined && [...readImports(imports.content)].some(({ module }) => module === "$root");
    if (isLibrary && code !== undefined && imports !== undefined && !isAsync) {
      found.push({ sections, bytes: code.content.length });
    }
  }
  const [largest] = found.sort((one, other) => other.bytes - one.bytes);
  return largest?.sections ?? fail("there is none");
}

interface Import {
  module: string;
  field: string;
  kind: number;
  /** Of a function, the index of its type. */
  type: number | undefined;
}

function* readImports(section: Buffer): Generator<Import> {
  const reader = new Reader(section);
  for (let rest = reader.leb(); rest > 0; rest -= 1) {
    const [module, field] = [reader.name(), reader.name()];
    const kind = reader.byte();
    yield { module, field, kind, type: reader.importType(kind) };
  }
}

interface Export {
  field: string;
  index: number;
  /** Where the index is. */
  at: number;
  end: number;
}

function* readExports(section: Buffer): Generator<Export> {
  const reader = new Reader(section);
  for (let rest = reader.leb(); rest > 0; rest -= 1) {
    const field = reader.name();
    reader.byte();
    const at = reader.at;
    yield { field, index: reader.leb(), at, end: reader.at };
  }
}

function* readNumbers(section: Buffer): Generator<number> {
  const reader = new Reader(section);
  for (let rest = reader.leb(); rest > 0; rest -= 1) {
    yield reader.leb();
  }
}

/** Of a function type. Types of functions with values only, as the engine has them. */
function parameterCount(section: Buffer, index: number): number {
  const reader = new Reader(section);
  reader.leb();
  for (let at = 0; ; at += 1) {
    if (reader.byte() !== 0x60) {
      fail("it has other types than those of functions");
    }
    const parameters = reader.leb();
    reader.take(parameters);
    reader.take(reader.leb());
    if (at === index) {
      return parameters;
    }
  }
}

function withInit(section: Buffer, index: number): Buffer {
  const { at, end } = [...readExports(section)].find(({ field }) => field === INIT) ?? fail("it has no `init`");
  return Buffer.concat([section.subarray(0, at), Buffer.from(leb(index)), section.subarray(end)]);
}

interface Interpreter {
  index: number;
  /** What throws that calls are too deep, and the instructions for its second and third parameter. */
  thrower: number;
  message: number[];
}

/** The function that interprets the program, which is the largest one, and what its check calls for the exception. */
function findInterpreter(code: Buffer, data: Buffer, imported: number): Interpreter {
  const bodies = [...readBodies(code)];
  const [largest] = bodies.map((body, at) => ({ body, at })).sort((one, other) => other.body.length - one.body.length);
  const { body, at } = largest ?? fail("it has no code");
  const index = imported + at;
  const text = data.indexOf(TOO_DEEP) + 1;
  const first = new Reader(data);
  // The first segment is active, at the address in a global.
  const isActive = first.leb() > 0 && first.byte() === 0 && first.byte() === GET_GLOBAL;
  const base = isActive ? first.leb() : fail("its data has another form");
  if (first.byte() !== END) {
    fail("its data has another form");
  }
  const length = first.leb();
  const address = text > first.at && text < first.at + length ? text - first.at : fail("it has no text for deep recursion");
  const message = [GET_GLOBAL, ...leb(base), I32.constant, ...signedLeb(address), I32_ADD, I32.constant, 0];
  const place = body.indexOf(Buffer.from(message));
  const thrower = [...leaves(body)].find(({ at: start }) => start === place + message.length);
  const isRecursive = [...leaves(body)].some(({ index: called }) => called === index);
  if (place < 0 || thrower === undefined || !isRecursive) {
    fail("its check for deep recursion is not found");
  }
  return { index, message, thrower: thrower.index };
}

/** Calls the interpreter if that is not too deep. Its first parameter is the context, and its result a value. */
function countedCall({ index, message, thrower }: Interpreter, parameters: number, depth: number[], cost: number): number[] {
  return [
    ...[GET_GLOBAL, ...depth, I32.constant, ...signedLeb(CALL_DEPTH_MAX), I32_GREATER, IF, EMPTY],
    ...[GET_LOCAL, 0, ...message, CALL, ...leb(thrower), ...EXCEPTION, RETURN, END],
    ...[GET_GLOBAL, ...depth, I32.constant, cost, I32_ADD, SET_GLOBAL, ...depth],
    ...Array.from({ length: parameters }, (_, at) => [GET_LOCAL, ...leb(at)]).flat(),
    ...[CALL, ...leb(index)],
    ...[GET_GLOBAL, ...depth, I32.constant, cost, I32_SUBTRACT, SET_GLOBAL, ...depth],
  ];
}

function* readBodies(section: Buffer): Generator<Buffer> {
  const reader = new Reader(section);
  for (let rest = reader.leb(); rest > 0; rest -= 1) {
    yield reader.take(reader.leb());
  }
}

/** The section of code with other functions called; which ones, `callsIn` says for each function. */
function withCalls(section: Buffer, imported: number, callsIn: (index: number) => Map<number, number>): Buffer {
  const bodies = [...readBodies(section)];
  const parts = [Buffer.from(leb(bodies.length))];
  for (const [at, body] of bodies.entries()) {
    const calls = callsIn(imported + at);
    const changed: Buffer[] = [];
    let copied = 0;
    for (const { opcode, at: start, end, index } of leaves(body)) {
      const other = calls.get(index);
      if (other !== undefined) {
        changed.push(body.subarray(copied, start), Buffer.from([opcode, ...leb(other)]));
        copied = end;
      }
    }
    const whole = Buffer.concat([...changed, body.subarray(copied)]);
    parts.push(Buffer.from(leb(whole.length)), whole);
  }
  return Buffer.concat(parts);
}
