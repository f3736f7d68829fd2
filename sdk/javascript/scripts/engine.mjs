// The engine of components: QuickJS as componentize-qjs has it, changed so that a component follows from the program alone.
//
// While the program's modules are evaluated, the componentizer gives the engine the clock and the random numbers of the machine, and both stay in the
// component: as seeds of hash tables, which decide where entries lie, and of the engine's own random numbers. Here, functions of the engine
// take the places of the host's: the seed of hash tables is always 0, and clocks stand at 0 until the modules are evaluated.

import { MAGIC, Reader, SECTION, append, customName, encode, functionBody, leaves, leb, sectionsOf } from "./wasm.mjs";

const [IF, ELSE, END, CALL, GET_LOCAL, GET_GLOBAL, SET_GLOBAL] = [0x04, 0x05, 0x0b, 0x10, 0x20, 0x23, 0x24];
const [EMPTY, I32_TYPE, I64_TYPE] = [0x40, 0x7f, 0x7e];
const I32 = { constant: 0x41, store: 0x36, align: 2 };
const I64 = { constant: 0x42, store: 0x37, align: 3 };

/** Stores zeros at offsets from the address in the first parameter. */
const storeZeros = (...fields) =>
  fields.flatMap(([type, offset]) => [GET_LOCAL, 0, type.constant, 0, type.store, type.align, offset]);

/** Imports and what is called in their places: the import itself is a function of the host, and a global says whether the modules are evaluated. */
const REPLACED = [
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

/** The changed engine, from the componentizer's native library, which contains its engines. */
export function deterministicEngine(library) {
  const sections = engineIn(library);
  const content = (id) => sections.find((section) => section.id === id).content;
  const imports = [...readImports(content(SECTION.import))];
  const functions = imports.filter(({ kind }) => kind === 0);
  const types = [...readNumbers(content(SECTION.function))];
  const added = functions.length + types.length;
  const hosts = REPLACED.map(({ module, field }) => {
    const at = functions.findIndex((other) => other.module.startsWith(`${module}@`) && other.field === field);
    return at >= 0 ? at : fail(`it does not import \`${field}\` of \`${module}\``);
  });
  const isBuilt = leb(imports.filter(({ kind }) => kind === 3).length + new Reader(content(SECTION.global)).leb());
  const init = [...readExports(content(SECTION.export))].find(({ field }) => field === INIT) ?? fail("it has no `init`");
  const initType = types[init.index - functions.length];
  const parameters = parameterCount(content(SECTION.type), initType);
  const bodies = [
    ...REPLACED.map(({ body }, at) => body(leb(hosts[at]), isBuilt)),
    [
      ...Array.from({ length: parameters }, (_, at) => [GET_LOCAL, ...leb(at)]).flat(),
      CALL, ...leb(init.index), I32.constant, 1, SET_GLOBAL, ...isBuilt,
    ],
  ];
  const calls = new Map(hosts.map((host, at) => [host, added + at]));
  const changes = {
    [SECTION.function]: (bytes) => append(bytes, [...hosts.map((host) => functions[host].type), initType].map(leb)),
    [SECTION.global]: (bytes) => append(bytes, [[I32_TYPE, 1, I32.constant, 0, END]]),
    [SECTION.export]: (bytes) => withInit(bytes, added + REPLACED.length),
    [SECTION.code]: (bytes) => append(withCalls(bytes, calls), bodies.map((body) => functionBody([...body, END]))),
  };
  const parts = sections.map(({ id, content: bytes }) => encode(id, changes[id]?.(bytes) ?? bytes));
  return Buffer.concat([MAGIC, ...parts]);
}

function fail(why) {
  throw new Error(`the engine of componentize-qjs has another form than scripts/engine.mjs knows: ${why}`);
}

/** The sections of the fastest engine without asynchronous calls: the largest of those without their built-in functions. */
function engineIn(library) {
  const found = [];
  for (let at = library.indexOf(MAGIC); at >= 0; at = library.indexOf(MAGIC, at + 1)) {
    const sections = [...sectionsOf(library, at + MAGIC.length)];
    const isLibrary = sections[0]?.id === SECTION.custom && customName(sections[0].content) === "dylink.0";
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

function* readImports(section) {
  const reader = new Reader(section);
  for (let rest = reader.leb(); rest > 0; rest -= 1) {
    const [module, field, kind] = [reader.name(), reader.name(), reader.byte()];
    yield { module, field, kind, type: reader.importType(kind) };
  }
}

function* readExports(section) {
  const reader = new Reader(section);
  for (let rest = reader.leb(); rest > 0; rest -= 1) {
    const field = reader.name();
    const kind = reader.byte();
    const at = reader.at;
    yield { field, kind, index: reader.leb(), at, end: reader.at };
  }
}

function* readNumbers(section) {
  const reader = new Reader(section);
  for (let rest = reader.leb(); rest > 0; rest -= 1) {
    yield reader.leb();
  }
}

/** Of a function type. Types of functions with values only, as the engine has them. */
function parameterCount(section, index) {
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

function withInit(section, index) {
  const { at, end } = [...readExports(section)].find(({ field }) => field === INIT);
  return Buffer.concat([section.subarray(0, at), Buffer.from(leb(index)), section.subarray(end)]);
}

/** The section of code with other functions called. */
function withCalls(section, calls) {
  const reader = new Reader(section);
  const count = reader.leb();
  const parts = [Buffer.from(leb(count))];
  for (let rest = count; rest > 0; rest -= 1) {
    const body = reader.take(reader.leb());
    const changed = [];
    let copied = 0;
    for (const { opcode, at, end, index } of leaves(body)) {
      const other = calls.get(index);
      if (other !== undefined) {
        changed.push(body.subarray(copied, at), Buffer.from([opcode, ...leb(other)]));
        copied = end;
      }
    }
    const whole = Buffer.concat([...changed, body.subarray(copied)]);
    parts.push(Buffer.from(leb(whole.length)), whole);
  }
  return Buffer.concat(parts);
}
