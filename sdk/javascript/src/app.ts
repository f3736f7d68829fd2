/** The application: routes, and what every response has. */

import { Context } from "./context.js";
import type { RawRequest } from "./contract.js";
import { Cors, type CorsOptions } from "./cors.js";
import { write } from "./log.js";
import { type Parameters, Pattern, segmentsOf } from "./pattern.js";
import { Problem } from "./problem.js";
import { type Answer, toResponse } from "./respond.js";
import { phase } from "./runtime/phase.js";
import { describe } from "./runtime/show.js";
import { sourceStack } from "./runtime/stack.js";
import { Headers } from "./web/headers.js";
import { Request, Response } from "./web/message.js";

/** Answers requests; it may be `async`. */
export type Handler<P = Readonly<Record<string, string>>> = (context: Context<P>) => Answer | Promise<Answer>;

interface Route {
  method: string;
  pattern: Pattern;
  handler: Handler<never>;
}

interface Match extends Route {
  parameters: Record<string, string>;
}

/**
 * A REST API: handlers by method and path.
 *
 * It answers by itself: HEAD like GET without content, OPTIONS with `allow`, 405 for other methods of a known path, and 404. Paths with literal
 * segments go before paths with parameters. A response without `cache-control` gets `no-store`.
 *
 * A handler may throw. A `Problem` is the response; anything else is answered with 500, and the log has its message and its stack.
 */
export class App {
  readonly #routes: Route[] = [];
  #cors: Cors | undefined;

  /** Answers GET, and HEAD with the same headers. */
  get<Path extends string>(path: Path, handler: Handler<Parameters<Path>>): this {
    return this.on("GET", path, handler);
  }

  post<Path extends string>(path: Path, handler: Handler<Parameters<Path>>): this {
    return this.on("POST", path, handler);
  }

  put<Path extends string>(path: Path, handler: Handler<Parameters<Path>>): this {
    return this.on("PUT", path, handler);
  }

  patch<Path extends string>(path: Path, handler: Handler<Parameters<Path>>): this {
    return this.on("PATCH", path, handler);
  }

  delete<Path extends string>(path: Path, handler: Handler<Parameters<Path>>): this {
    return this.on("DELETE", path, handler);
  }

  /** Answers another method. */
  on<Path extends string>(method: string, path: Path, handler: Handler<Parameters<Path>>): this {
    const pattern = new Pattern(path);
    const other = this.#routes.find((route) => route.method === method && route.pattern.isSameResource(pattern));
    if (other !== undefined) {
      const names = other.pattern.text === path ? "" : `: \`${other.pattern.text}\` is the same path`;
      throw new TypeError(`\`${method} ${path}\` has two handlers${names}`);
    }
    this.#routes.push({ method, pattern, handler: handler as Handler<never> });
    return this;
  }

  /** Lets pages of other origins call the API. */
  cors(options: CorsOptions): this {
    this.#cors = new Cors(options);
    return this;
  }

  /** @internal Answers one request; never rejects. */
  async answer(raw: RawRequest): Promise<Response> {
    let response: Response;
    try {
      response = await this.#dispatch(raw);
    } catch (error) {
      response = failure(error, raw);
    }
    return this.#finish(response, raw);
  }

  /** @internal The response to a request that failed outside of `answer`. */
  fail(error: unknown, raw: RawRequest): Response {
    return this.#finish(failure(error, raw), raw);
  }

  /** Adds what every response has. */
  #finish(response: Response, raw: RawRequest): Response {
    const { headers, status } = response;
    setDefault(headers, "cache-control", "no-store");
    setDefault(headers, "x-content-type-options", "nosniff");
    this.#cors?.allow(headers, new Headers(fieldsOf(raw)).get("origin"));
    return raw.method === "HEAD" ? new Response(null, { status, headers }) : response;
  }

  async #dispatch(raw: RawRequest): Promise<Response> {
    const segments = segmentsOf(raw.path);
    if (segments === undefined) {
      throw new Problem(400, "invalid-path", "the path is not percent-encoded UTF-8");
    }
    const matches = this.#find(segments);
    const find = (method: string): Match | undefined => matches.find((match) => match.method === method);
    const match = find(raw.method) ?? (raw.method === "HEAD" ? find("GET") : undefined);
    if (match === undefined) {
      return withoutHandler(raw, matches, this.#cors);
    }
    const context = new Context(toRequest(raw), match.parameters, raw, raw.context);
    const returned: unknown = match.handler(context as Context<never>);
    phase.isAnswered = !(returned instanceof Promise);
    const answer: unknown = await returned;
    phase.isAnswered = true;
    if ((typeof answer !== "object" && typeof answer !== "string") || answer === null) {
      throw new TypeError(`the handler of \`${match.method} ${match.pattern.text}\` returned ${String(answer)}`);
    }
    if (answer instanceof Error) {
      throw answer;
    }
    const response = toResponse(answer, context);
    if (context.isReplayed && response.status < 400) {
      setDefault(response.headers, "idempotency-replayed", "true");
    }
    return response;
  }

  /** The routes that match a path most precisely, and differ by method. */
  #find(segments: readonly string[]): Match[] {
    let best = "";
    let matches: Match[] = [];
    for (const route of this.#routes) {
      const match = route.pattern.match(segments);
      if (match === undefined || match.precision < best) {
        continue;
      }
      if (match.precision > best) {
        best = match.precision;
        matches = [];
      }
      matches.push({ ...route, parameters: match.parameters });
    }
    return matches;
  }
}

function setDefault(headers: Headers, name: string, value: string): void {
  if (!headers.has(name)) {
    headers.set(name, value);
  }
}

function withoutHandler(raw: RawRequest, matches: readonly Match[], cors: Cors | undefined): Response {
  if (matches.length === 0) {
    throw Problem.notFound(`there is nothing at \`${raw.path}\``);
  }
  const methods = matches.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  const allow = [...methods, "OPTIONS"].join(", ");
  if (raw.method === "OPTIONS") {
    const response = new Response(null, { status: 204, headers: { allow } });
    cors?.preflight(response.headers, new Headers(fieldsOf(raw)), allow);
    return response;
  }
  const detail = `this resource does not know \`${raw.method}\``;
  throw new Problem(405, "method-not-allowed", detail, { headers: { allow } });
}

/** The response to what a handler threw. What is not the client's mistake is logged. */
function failure(error: unknown, raw: RawRequest): Response {
  const { requestId } = raw.context;
  const problem = toProblem(error);
  const cause = error === problem ? problem.cause : error;
  if (problem.status >= 500) {
    const of = cause ?? problem;
    const stack = of instanceof Error ? sourceStack(of) : "";
    write("error", describe(of), { stack: stack === "" ? undefined : stack, method: raw.method, path: raw.path });
  }
  return problem.toResponse(requestId);
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) {
    return error;
  }
  const convert: unknown = (error as { toProblem?: unknown } | null | undefined)?.toProblem;
  return typeof convert === "function" ? (convert.call(error) as Problem) : Problem.internal(error);
}

function toRequest(raw: RawRequest): Request {
  const { scheme, authority, basePath } = raw.context;
  const query = raw.query === "" ? "" : `?${raw.query}`;
  const url = `${scheme}://${authority === "" ? "localhost" : authority}${basePath}${raw.path}${query}`;
  const headers = fieldsOf(raw);
  const body = raw.body.length > 0 && raw.method !== "GET" && raw.method !== "HEAD" ? raw.body : null;
  return new Request(url, { method: raw.method, headers, body });
}

function fieldsOf(raw: RawRequest): [string, string][] {
  const lines = raw.headers.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const at = line.indexOf(": ");
    return [line.slice(0, at), line.slice(at + 2)];
  });
}
