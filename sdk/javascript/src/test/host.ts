/** The host of a test: what the imports of a component are in Node. The build of tests puts these objects in their places. */

import { createHmac, timingSafeEqual } from "node:crypto";
import type {
  Algorithm,
  Level,
  RawEnvironment,
  RawLog,
  RawOutgoing,
  RawRandom,
  RawSecrets,
  RawStorage,
  Variant,
} from "../contract.js";
import { PROMISE_IN_JSON } from "../runtime/promise.js";
import { begin, missingAwait } from "../runtime/phase.js";
import type { MemoryStore } from "./memory-store.js";
import { inWorld } from "./world.js";

/** A line that was logged. */
export interface LogLine {
  level: Level;
  message: string;
  /** Values as JSON has them. */
  attributes: Record<string, unknown>;
}

/** What one application of a test has. */
export interface TestHost {
  store: MemoryStore;
  lines: LogLine[];
  failures: Variant<string, unknown>[];
  calls: string[];
  environment: Map<string, string>;
  secrets: Map<string, Uint8Array>;
  send: RawOutgoing["send"];
}

let current: TestHost | undefined;

/** All lines of the test that is under way, whichever client wrote them; `report.ts` shows them if it fails. */
export const recent: LogLine[] = [];

// As in a component, see `runtime/promise.ts`.
Object.defineProperty(Promise.prototype, "toJSON", {
  configurable: true,
  value: () => {
    throw new TypeError(PROMISE_IN_JSON);
  },
});

// Of Node, before a request hides it.
const { setImmediate } = globalThis;

/** Lets the imports be those of a host, and the time stand still, until the work is done. Throws if it was not waited for, or has left a global behind. */
export async function during<T>(host: TestHost, nowMs: number, work: () => T | Promise<T>): Promise<T> {
  if (current !== undefined) {
    throw new Error("a request is under way: the test has to wait for it");
  }
  current = host;
  const globals = new Set(Object.getOwnPropertyNames(globalThis));
  begin();
  let result: T;
  try {
    result = await inWorld({ nowMs }, work);
    // What nothing waits for goes on, as in a component, until no job is left.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    current = undefined;
  }
  const missing = missingAwait();
  if (missing !== undefined) {
    throw new Error(missing);
  }
  const left = Object.getOwnPropertyNames(globalThis).find((name) => !globals.has(name));
  if (left !== undefined) {
    Reflect.deleteProperty(globalThis, left);
    throw new Error(`the handler has set the global \`${left}\`, which a component forgets after the request: store it`);
  }
  return result;
}

/** The error that a call throws in a component. */
export function thrown(payload: Variant<string, unknown> | { tag: string }): Error {
  return Object.assign(new Error(`${JSON.stringify(payload)} (see error.payload)`), { payload });
}

function host(): TestHost {
  if (current === undefined) {
    throw new Error("there is no request: call this in a handler, or in `client.run`");
  }
  return current;
}

function ask(name: string, parameters: object): never {
  const { calls, failures, store } = host();
  calls.push(name);
  const failure = failures.shift();
  if (failure !== undefined) {
    throw thrown(failure);
  }
  return store.ask(name, parameters) as never;
}

export const storage: RawStorage = {
  get: (key, consistency) => ask("get", { key, consistency }),
  getMany: (keys, consistency) => ask("get-many", { keys, consistency }),
  put: (key, document, options) => ask("put", { key, document, options }),
  delete: (key, precondition) => ask("delete", { key, precondition }),
  query: (partition, consistency, options) => ask("query", { partition, consistency, options }),
  queryIndex: (partition, options) => ask("query-index", { partition, options }),
  transact: (operations, token) => ask("transact", { operations, token }),
};

export const log: RawLog = {
  write(level, message, attributes) {
    const values = attributes.map(({ key, value }): [string, unknown] => [key, JSON.parse(value)]);
    const line = { level, message, attributes: Object.fromEntries(values) };
    host().lines.push(line);
    recent.push(line);
  },
};

export const outgoing: RawOutgoing = { send: (request) => host().send(request) };

export const random: RawRandom = {
  getRandomBytes(length) {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 8) {
      const number = BigInt(`0x${String(host().store.ask("random"))}`);
      const chunk = new Uint8Array(8);
      new DataView(chunk.buffer).setBigUint64(0, number, true);
      bytes.set(chunk.subarray(0, length - at), at);
    }
    return bytes;
  },
};

export const environment: RawEnvironment = { getEnvironment: () => [...host().environment] };

function sign(name: string, algorithm: Algorithm, message: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac(algorithm, reveal(name)).update(message).digest());
}

function reveal(name: string): Uint8Array {
  const value = host().secrets.get(name);
  if (value === undefined) {
    throw thrown({ tag: "unknown", val: `unknown secret \`${name}\`; \`setSecret\` sets one in a test` });
  }
  return value;
}

export const secrets: RawSecrets = {
  sign,
  verify(name, algorithm, message, tag) {
    const expected = sign(name, algorithm, message);
    return expected.length === tag.length && timingSafeEqual(expected, tag);
  },
  reveal,
};
