/**
 * The globals of a component in tests: while a request is answered, and only for what belongs to it, they take the places of Node's. Time stands
 * still, random numbers follow from the request, `console` writes to its log, and what a component does not have is not there.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes, randomNumber, randomUUID } from "../random.js";
import { console } from "../runtime/console.js";
import { Headers, Request, Response, TextDecoder, TextEncoder, URLSearchParams } from "../web.js";

/** What a request of a test has. */
export interface World {
  nowMs: number;
}

const worlds = new AsyncLocalStorage<World>();

/** Does work, and all that follows from it, in the world of a request. */
export function inWorld<T>(world: World, work: () => T): T {
  return worlds.run(world, work);
}

/** Does work of the test, which a request has called, with Node's globals. */
export function outside<T>(work: () => T): T {
  return worlds.exit(work);
}

/** The time of the clock, which stands still. Outside of requests there is none. */
function nowMs(): number | undefined {
  return worlds.getStore()?.nowMs;
}

const NodeDate = Date;
const nodeRandom = Math.random;

/** `Date` at the time of the request. */
const ComponentDate = new Proxy(NodeDate, {
  construct(target, parameters: unknown[], newTarget: Function) {
    const given = parameters.length === 0 ? [nowMs() ?? NodeDate.now()] : parameters;
    return Reflect.construct(target, given, newTarget) as object;
  },
  apply: (target) => new target(nowMs() ?? NodeDate.now()).toString(),
  get: (target, name, receiver) =>
    name === "now" ? () => nowMs() ?? NodeDate.now() : (Reflect.get(target, name, receiver) as unknown),
});

/** See `runtime/globals.ts`, and what it leaves out. */
const COMPONENT: Readonly<Record<string, unknown>> = {
  Date: ComponentDate,
  Headers,
  Request,
  Response,
  TextDecoder,
  TextEncoder,
  URLSearchParams,
  console,
  crypto: {
    getRandomValues<T extends ArrayBufferView>(array: T): T {
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(randomBytes(array.byteLength));
      return array;
    },
    randomUUID,
  },
  performance: { now: () => 0, timeOrigin: 0 },
  ...Object.fromEntries(
    [
      ...["AbortController", "AbortSignal", "Blob", "Buffer", "FormData", "Intl", "ReadableStream", "URL", "WebSocket"],
      ...["clearImmediate", "clearInterval", "clearTimeout", "setImmediate", "setInterval", "setTimeout"],
      ...["fetch", "process", "structuredClone"],
    ].map((name) => [name, undefined]),
  ),
};

for (const [name, inComponent] of Object.entries(COMPONENT)) {
  const node = Object.getOwnPropertyDescriptor(globalThis, name);
  if (node === undefined) {
    continue;
  }
  // Read late: some of Node's load a lot when they are read for the first time.
  let read = (): unknown => (node.get === undefined ? node.value : (node.get.call(globalThis) as unknown));
  Object.defineProperty(globalThis, name, {
    configurable: true,
    enumerable: node.enumerable ?? false,
    get: () => (worlds.getStore() === undefined ? read() : inComponent),
    // A test may put something else in its place.
    set(value: unknown) {
      read = () => value;
    },
  });
}

Math.random = () => (worlds.getStore() === undefined ? nodeRandom() : randomNumber());
