/** The store of a test: the hosts' own rules and their store in memory, compiled to WebAssembly (`rules/`). */

import { readFileSync } from "node:fs";
import { decodeText, encodeText } from "../web/text.js";
import { thrown } from "./host.js";

/** Where the module is; the build of tests says it. */
declare const TENON_RULES: string;

/** What is used of a global of Node that its types leave to those of browsers. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): { module: string; name: string }[];
  }
  class Instance {
    constructor(module: Module, imports: object);
    readonly exports: object;
  }
}

interface Exports {
  memory: { buffer: ArrayBuffer };
  _initialize?: () => void;
  allocate(length: number): number;
  perform(): number;
  result_length(): number;
}

let compiled: WebAssembly.Module | undefined;

export class MemoryStore {
  readonly #exports: Exports;

  constructor() {
    compiled ??= new WebAssembly.Module(readFileSync(TENON_RULES));
    const imports: Record<string, Record<string, () => number>> = {};
    for (const { module, name } of WebAssembly.Module.imports(compiled)) {
      // What a standard library may ask for, such as the seed of a hash table: nothing here depends on it.
      (imports[module] ??= {})[name] = () => 0;
    }
    this.#exports = new WebAssembly.Instance(compiled, imports).exports as unknown as Exports;
    this.#exports._initialize?.();
  }

  /** The result of a call, in the shape in which a component has it; throws the error as a component does. */
  ask(name: string, parameters?: object): unknown {
    const question = parameters === undefined ? name : { [name]: parameters };
    const text = encodeText(JSON.stringify(question));
    const { memory, allocate, perform, result_length } = this.#exports;
    const at = allocate(text.length);
    new Uint8Array(memory.buffer).set(text, at);
    const result = perform();
    const bytes = new Uint8Array(memory.buffer, result, result_length());
    const answer = JSON.parse(decodeText(bytes)) as { ok: unknown } | { error: { tag: string } };
    if ("error" in answer) {
      throw thrown(answer.error);
    }
    return answer.ok;
  }
}
