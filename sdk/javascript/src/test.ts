/** Calls an application in Node, with a store in memory that has the rules of the hosts. Run tests with `tenon-test`. */

import type { App } from "./app.js";
import type { StorageErrorCode } from "./store/error.js";
import type { FetchError } from "./outgoing.js";
import { type LogLine, type TestHost, during, thrown } from "./test/host.js";
import { MemoryStore } from "./test/memory-store.js";
import { outside } from "./test/world.js";
import { Headers, type HeadersInit } from "./web/headers.js";
import { type BodyInit, Request, Response } from "./web/message.js";
import { encodeText } from "./web/text.js";

export type { LogLine };

/** 2026-01-01T00:00:00Z */
const NOW_MS = 1_767_225_600_000;

/** Fields that belong to the connection (RFC 9110, 7.6.1): a host answers 500 in place of a response with one of them. */
const CONNECTION_FIELDS = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

export interface TestRequest {
  headers?: HeadersInit;
  body?: BodyInit;
  /** A value as JSON content. */
  json?: unknown;
  /** The caller whom an authorizer named. */
  identity?: { subject?: string; claims?: Record<string, unknown> };
  /** What precedes the path in the client's URL, such as `/live`. */
  basePath?: string;
  clientAddress?: string;
}

/**
 * A client of an application. Its store and its log outlive requests; its clock stands still until the test moves it. Two clients that are used
 * in the same way get the same responses. Requests are sent one after the other.
 *
 * In a handler, globals are those of a component: `Date`, random numbers and `console` are the request's, and what a component lacks, such as timers
 * and `URL`, is `undefined`. One thing differs: variables of modules keep what a request has put there, and on a host they do not.
 */
export class TestClient {
  /** All lines that were logged. */
  readonly lines: LogLine[] = [];
  /** The names of the storage calls. */
  readonly calls: string[] = [];
  readonly #app: App;
  readonly #host: TestHost;
  #nowMs = NOW_MS;
  #requests = 0;

  constructor(app: App) {
    this.#app = app;
    this.#host = {
      store: new MemoryStore(),
      lines: this.lines,
      calls: this.calls,
      failures: [],
      environment: new Map(),
      secrets: new Map(),
      send: () => {
        throw thrown({ tag: "not-granted", val: "nothing answers for other services; `answerOutgoing` does in a test" });
      },
    };
  }

  get(target: string, request: TestRequest = {}): Promise<Response> {
    return this.request("GET", target, request);
  }

  post(target: string, request: TestRequest = {}): Promise<Response> {
    return this.request("POST", target, request);
  }

  put(target: string, request: TestRequest = {}): Promise<Response> {
    return this.request("PUT", target, request);
  }

  patch(target: string, request: TestRequest = {}): Promise<Response> {
    return this.request("PATCH", target, request);
  }

  delete(target: string, request: TestRequest = {}): Promise<Response> {
    return this.request("DELETE", target, request);
  }

  /**
   * The application's response. Throws if a host would answer 500 in its place, if the handler returned before its work was done, and if it has set
   * a global.
   */
  async request(method: string, target: string, request: TestRequest = {}): Promise<Response> {
    const [path = "", query = ""] = target.split(/\?(.*)/s);
    const headers = new Headers(request.headers);
    const content = request.json === undefined ? request.body : JSON.stringify(request.json);
    if (request.json !== undefined && !headers.has("content-type")) {
      headers.set("content-type", "application/json");
    }
    const { identity } = request;
    const requestId = this.#begin();
    const response = await during(this.#host, this.#nowMs, () =>
      this.#app.answer({
        method,
        path,
        query,
        headers: headers.lines().map(([name, value]) => `${name}: ${value}\n`).join(""),
        body: typeof content === "string" ? encodeText(content) : new Response(content).content(),
        context: {
          requestId,
          receivedAtMs: this.#nowMs,
          scheme: "https",
          authority: "api.example",
          clientAddress: request.clientAddress ?? "192.0.2.1",
          basePath: request.basePath ?? "",
          pathFidelity: "encoded",
          identity:
            identity === undefined
              ? null
              : { subject: identity.subject ?? null, claims: JSON.stringify(identity.claims ?? {}) },
        },
      }),
    );
    const forbidden = CONNECTION_FIELDS.find((name) => response.headers.has(name));
    if (forbidden !== undefined) {
      throw new Error(`a host answers 500 in place of a response with the header field \`${forbidden}\``);
    }
    return response;
  }

  /** Runs work that uses the application's store, log or secrets as in a handler. */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    this.#begin();
    return during(this.#host, this.#nowMs, work);
  }

  /** The time of the requests from now on. */
  setTime(time: Date): void {
    this.#nowMs = time.getTime();
  }

  /** Moves the time forward. */
  advance(ms: number): void {
    this.#nowMs += ms;
  }

  /** Lets the next storage call fail; called again, the one after it. */
  failStorage(code: StorageErrorCode, detail = "a test lets it fail"): void {
    const val = code === "throttled" ? null : detail;
    this.#host.failures.push({ tag: code, val });
  }

  setEnvironment(name: string, value: string): void {
    this.#host.environment.set(name, value);
  }

  /** Gives the application a secret, for every use. Requests to other services keep their placeholders. */
  setSecret(name: string, value: string | Uint8Array): void {
    this.#host.secrets.set(name, typeof value === "string" ? encodeText(value) : value);
  }

  /** Answers requests to other services from now on, at once; a code in place of a response is that of the `FetchError`. */
  answerOutgoing(answer: (request: Request) => Response | FetchError["code"]): void {
    this.#host.send = ({ method, url, headers, body }) => {
      const fields = headers.map(({ name, value }): [string, string] => [name, value]);
      const request = new Request(url, { method, headers: fields, body: body.length > 0 ? body : null });
      const response = outside(() => answer(request));
      if (typeof response === "string") {
        throw thrown({ tag: response, val: "a test answers so" });
      }
      const lines = response.headers.lines().map(([name, value]) => ({ name, value }));
      return { status: response.status, headers: lines, body: response.content() };
    };
  }

  /** A new seed; returns the id of the request. */
  #begin(): string {
    this.#requests += 1;
    const seed = this.#requests.toString(16).padStart(64, "0");
    return String(this.#host.store.ask("begin", { nowMs: this.#nowMs, seed }));
  }
}
