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
import type { MemoryStore } from "./memory-store.js";

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

/** Lets the imports be those of a host until the work is done. */
export async function during<T>(host: TestHost, work: () => T | Promise<T>): Promise<T> {
  if (current !== undefined) {
    throw new Error("a request is under way: the test has to wait for it");
  }
  current = host;
  try {
    return await work();
  } finally {
    current = undefined;
  }
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
    host().lines.push({ level, message, attributes: Object.fromEntries(values) });
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
