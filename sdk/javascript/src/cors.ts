/** CORS (WHATWG Fetch): which pages may call the API, and what their browsers may read. */

import type { Headers } from "./web/headers.js";

/** Browsers keep the response to a preflight request for two hours at most. */
const MAX_AGE_SECONDS = "7200";
const ALLOWED_HEADERS = [
  "accept",
  "authorization",
  "content-type",
  "idempotency-key",
  "if-match",
  "if-none-match",
  "x-api-key",
];
const EXPOSED_HEADERS = [
  "accept-patch",
  "allow",
  "content-location",
  "etag",
  "idempotency-replayed",
  "link",
  "location",
  "retry-after",
];

export interface CorsOptions {
  /** Such as `https://app.example`; `*` is any origin, whose pages authenticate with a header that their own code sets. */
  origins: "*" | readonly string[];
  /** Lets browsers send cookies; only for listed origins, because otherwise every page could act for its visitors. */
  credentials?: boolean;
  /** Further request headers that pages may send. */
  allowHeaders?: readonly string[];
  /** Further response headers that pages may read. */
  exposeHeaders?: readonly string[];
}

/** @internal */
export class Cors {
  readonly #options: CorsOptions;

  constructor(options: CorsOptions) {
    if (options.origins === "*" && options.credentials === true) {
      throw new TypeError("browsers send credentials to listed origins only: list them in `origins`");
    }
    // In JavaScript nothing else says so: a text would be searched for each origin, and any part of it would be allowed.
    if (options.origins !== "*" && !Array.isArray(options.origins)) {
      throw new TypeError('`origins` is "*" or a list: ["https://app.example"]');
    }
    if (options.origins.includes("*") && options.origins !== "*") {
      throw new TypeError('`origins` lists `*`: write "*" for any origin');
    }
    this.#options = options;
  }

  /** Adds the fields of every response. */
  allow(headers: Headers, origin: string | null): void {
    const { origins, credentials = false, exposeHeaders = [] } = this.#options;
    if (origins !== "*") {
      // A cache must not give the response for one origin to another.
      headers.append("vary", "origin");
    }
    if (origins !== "*" && (origin === null || !origins.includes(origin))) {
      return;
    }
    headers.set("access-control-allow-origin", origins === "*" ? "*" : (origin ?? ""));
    headers.set("access-control-expose-headers", [...EXPOSED_HEADERS, ...exposeHeaders].join(", "));
    if (credentials) {
      headers.set("access-control-allow-credentials", "true");
    }
  }

  /** Adds the fields of a response to a preflight request, if it is one. */
  preflight(headers: Headers, request: Headers, methods: string): void {
    if (request.has("origin") && request.has("access-control-request-method")) {
      headers.set("access-control-allow-methods", methods);
      headers.set("access-control-allow-headers", [...ALLOWED_HEADERS, ...(this.#options.allowHeaders ?? [])].join(", "));
      headers.set("access-control-max-age", MAX_AGE_SECONDS);
    }
  }
}
