/** Reading and writing WebAssembly modules, as far as `engine.ts` and `unstub.ts` need it. For the encoding see the WebAssembly specification, chapter 5. */

export const MAGIC = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
export const SECTION = { custom: 0, type: 1, import: 2, function: 3, global: 6, export: 7, code: 10, data: 11 } as const;
const SECTION_MAX = 13;

/** An unsigned number in LEB128. */
export function leb(number: number): number[] {
  return number < 128 ? [number] : [(number % 128) | 128, ...leb(Math.floor(number / 128))];
}

export function encode(id: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([id, ...leb(content.length)]), content]);
}

/** A signed number in LEB128. */
export function signedLeb(number: number): number[] {
  return number >= -64 && number < 64 ? [number & 127] : [(number & 127) | 128, ...signedLeb(number >> 7)];
}

/** A function without locals of its own. */
export function functionBody(instructions: readonly number[]): number[] {
  return [...leb(instructions.length + 1), 0, ...instructions];
}

/** The content of a section that is a list, with more elements. */
export function append(content: Buffer, elements: readonly (readonly number[])[]): Buffer {
  const reader = new Reader(content);
  const count = leb(reader.leb() + elements.length);
  return Buffer.concat([Buffer.from(count), content.subarray(reader.at), Buffer.from(elements.flat())]);
}

export interface Section {
  id: number;
  content: Buffer;
}

/** The sections from a place on, up to what is none. */
export function* sectionsOf(bytes: Buffer, start: number): Generator<Section> {
  const reader = new Reader(bytes, start);
  while (reader.at < bytes.length && !bytes.subarray(reader.at).subarray(0, MAGIC.length).equals(MAGIC)) {
    const id = reader.byte();
    const length = reader.leb();
    if (id > SECTION_MAX || length === 0 || reader.at + length > bytes.length) {
      return;
    }
    const content = reader.take(length);
    if (id === SECTION.custom && customName(content) === undefined) {
      return;
    }
    yield { id, content };
  }
}

/** The name at the start of a custom section; `undefined` if there is none. */
export function customName(content: Buffer): string | undefined {
  const name = new Reader(content).name();
  return name.length > 0 && name.length < content.length && !/[\0\ufffd]/.test(name) ? name : undefined;
}

export class Reader {
  constructor(
    readonly bytes: Buffer,
    public at = 0,
  ) {}

  byte(): number {
    this.at += 1;
    return this.bytes[this.at - 1] ?? 0;
  }

  leb(): number {
    const byte = this.byte();
    return byte < 128 ? byte : (byte & 127) + 128 * this.leb();
  }

  take(length: number): Buffer {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name(): string {
    return this.take(this.leb()).toString();
  }

  /** What follows the kind of an import: the index of a function's type, or of a tag's. */
  importType(kind: number): number | undefined {
    switch (kind) {
      case 0:
        return this.leb();
      case 1:
        this.byte();
        return this.#limits();
      case 2:
        return this.#limits();
      case 3:
        this.take(2);
        return undefined;
      default:
        this.byte();
        return this.leb();
    }
  }

  #limits(): undefined {
    const hasMaximum = (this.byte() & 1) === 1;
    this.leb();
    if (hasMaximum) {
      this.leb();
    }
    return undefined;
  }
}

const [BLOCK, LOOP, IF, TRY, BR_TABLE, SELECT, I32_CONST, F32_CONST, F64_CONST] = [2, 3, 4, 6, 0x0e, 0x1c, 0x41, 0x43, 0x44] as const;
const [CALL, RETURN_CALL, REF_FUNC] = [0x10, 0x12, 0xd2] as const;
const [NUMERIC, VECTOR] = [0xfc, 0xfd] as const;
/** Of numbers in LEB128 that follow an instruction of this code; signed ones have the same length as unsigned ones. */
const ONE = new Set<number>([BLOCK, LOOP, IF, TRY, 0x07, 0x08, 0x09, 0x0c, 0x0d, CALL, RETURN_CALL, 0x18, 0x3f, 0x40, I32_CONST, 0x42, 0xd0, REF_FUNC]);
const TWO = new Set<number>([0x11, 0x13]);
/** The same for instructions with the prefix of `memory.copy`. */
const NUMERIC_COUNTS = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

export interface Leaf {
  opcode: number;
  at: number;
  end: number;
  /** Of the function. */
  index: number;
}

/** The instructions of a function's body that name a function, with their places. */
export function* leaves(body: Buffer): Generator<Leaf> {
  const reader = new Reader(body);
  for (let groups = reader.leb(); groups > 0; groups -= 1) {
    reader.leb();
    reader.byte();
  }
  while (reader.at < body.length) {
    const at = reader.at;
    const opcode = reader.byte();
    if (opcode === CALL || opcode === RETURN_CALL || opcode === REF_FUNC) {
      yield { opcode, at, index: reader.leb(), end: reader.at };
    } else {
      skip(reader, opcode);
    }
  }
}

function skip(reader: Reader, opcode: number): void {
  if (ONE.has(opcode) || (opcode >= 0x20 && opcode <= 0x26)) {
    reader.leb();
  } else if (TWO.has(opcode)) {
    reader.leb();
    reader.leb();
  } else if (opcode >= 0x28 && opcode <= 0x3e) {
    skipMemory(reader);
  } else if (opcode === BR_TABLE) {
    for (let labels = reader.leb() + 1; labels > 0; labels -= 1) {
      reader.leb();
    }
  } else if (opcode === SELECT) {
    reader.take(reader.leb());
  } else if (opcode === F32_CONST || opcode === F64_CONST) {
    reader.take(opcode === F32_CONST ? 4 : 8);
  } else if (opcode === NUMERIC) {
    for (let numbers = NUMERIC_COUNTS[reader.leb()] ?? unknown(opcode); numbers > 0; numbers -= 1) {
      reader.leb();
    }
  } else if (opcode === VECTOR) {
    skipVector(reader);
  } else if (opcode > 0xc4 && opcode !== 0xd1) {
    unknown(opcode);
  }
}

function skipMemory(reader: Reader): void {
  if ((reader.leb() & 64) === 64) {
    reader.leb();
  }
  reader.leb();
}

function skipVector(reader: Reader): void {
  const code = reader.leb();
  if (code <= 11 || code === 92 || code === 93) {
    skipMemory(reader);
  } else if (code === 12 || code === 13) {
    reader.take(16);
  } else if (code >= 21 && code <= 34) {
    reader.byte();
  } else if (code >= 84 && code <= 91) {
    skipMemory(reader);
    reader.byte();
  }
}

function unknown(opcode: number): never {
  throw new Error(`the engine has the instruction ${opcode.toString(16)}, which is not known here`);
}
