/**
 * The globals of a component besides those of the language, for `types` in tsconfig.json: `"types": ["@tenon/sdk/globals"]`. There are no timers,
 * no files, no streams and no `URL`; requests to other services are sent by `fetch` of `@tenon/sdk`.
 */

import type * as web from "./web.js";

declare global {
  interface Console {
    assert(holds?: unknown, ...values: unknown[]): void;
    debug(...values: unknown[]): void;
    dir(...values: unknown[]): void;
    error(...values: unknown[]): void;
    info(...values: unknown[]): void;
    log(...values: unknown[]): void;
    trace(...values: unknown[]): void;
    warn(...values: unknown[]): void;
  }
  /** Writes to the host's log. */
  var console: Console;
  var Headers: typeof web.Headers;
  var Request: typeof web.Request;
  var Response: typeof web.Response;
  var TextDecoder: typeof web.TextDecoder;
  var TextEncoder: typeof web.TextEncoder;
  var URLSearchParams: typeof web.URLSearchParams;
  var crypto: {
    getRandomValues<T extends ArrayBufferView>(array: T): T;
    randomUUID(): string;
  };
  function atob(data: string): string;
  function btoa(data: string): string;
  function queueMicrotask(job: () => void): void;
}
