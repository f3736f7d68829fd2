/** What programs expect to be global, and the engine does not have, or has in a form that does not work in a component. */

import { randomBytes, randomNumber, randomUUID } from "../random.js";
import { Headers } from "../web/headers.js";
import { Request, Response } from "../web/message.js";
import { URLSearchParams } from "../web/search-params.js";
import { TextDecoder, TextEncoder } from "../web/text.js";
import { console } from "./console.js";
import { phase } from "./phase.js";
import { GuestPromise, enqueue } from "./promise.js";

// The program's own modules come after this one.
phase.isBuilding = true;

const crypto = {
  getRandomValues<T extends ArrayBufferView>(array: T): T {
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(randomBytes(array.byteLength));
    return array;
  },
  randomUUID,
};

Object.assign(globalThis, {
  Headers,
  Promise: GuestPromise,
  Request,
  Response,
  TextDecoder,
  TextEncoder,
  URLSearchParams,
  console,
  crypto,
  // The engine's own reads a clock that a component does not have. The clock stands still during a request.
  performance: { now: () => 0, timeOrigin: 0 },
  queueMicrotask: enqueue,
});

// The engine's own begins with the same number in every request, because each begins with the same memory.
Math.random = randomNumber;
