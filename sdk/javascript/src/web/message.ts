/** `Request` and `Response` of the web. Messages are whole: there are no streams, forms or blobs. */

import { Headers, type HeadersInit } from "./headers.js";
import { URLSearchParams } from "./search-params.js";
import { decodeTextLossy, encodeText, toBytes } from "./text.js";

export type BodyInit = string | ArrayBuffer | ArrayBufferView | URLSearchParams;

/** What a request and a response have in common: content that can be read once. */
class Body {
  readonly headers: Headers;
  #content: Uint8Array;
  #isUsed = false;

  protected constructor(content: BodyInit | null | undefined, headers: HeadersInit | undefined) {
    this.headers = new Headers(headers);
    const [bytes, type] = read(content ?? null);
    this.#content = bytes;
    if (type !== undefined && !this.headers.has("content-type")) {
      this.headers.set("content-type", type);
    }
  }

  /** Whether the content has been read. */
  get bodyUsed(): boolean {
    return this.#isUsed;
  }

  /** The content's bytes. */
  async bytes(): Promise<Uint8Array> {
    return this.#take();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#take().slice().buffer as ArrayBuffer;
  }

  /** The content as text; bytes that are not UTF-8 become U+FFFD. */
  async text(): Promise<string> {
    return decodeTextLossy(this.#take());
  }

  /** The content as JSON, whatever its media type. Rejects with a `SyntaxError` if it is none. */
  async json(): Promise<unknown> {
    return JSON.parse(decodeTextLossy(this.#take())) as unknown;
  }

  /** @internal The content, read or not. */
  content(): Uint8Array {
    return this.#content;
  }

  #take(): Uint8Array {
    if (this.#isUsed) {
      throw new TypeError("the content has been read already");
    }
    this.#isUsed = true;
    return this.#content;
  }
}

export interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit | null;
}

/** A request. */
export class Request extends Body {
  readonly method: string;
  /** The absolute URL. */
  readonly url: string;

  constructor(input: string | Request, init: RequestInit = {}) {
    const other = typeof input === "string" ? undefined : input;
    super(init.body ?? other?.content(), init.headers ?? other?.headers);
    this.url = typeof input === "string" ? input : input.url;
    this.method = normalized(init.method ?? other?.method ?? "GET");
    if (init.body !== undefined && init.body !== null && (this.method === "GET" || this.method === "HEAD")) {
      throw new TypeError(`a \`${this.method}\` request has no content`);
    }
  }

  clone(): Request {
    return new Request(this);
  }
}

export interface ResponseInit {
  status?: number;
  headers?: HeadersInit;
}

/** A response. */
export class Response extends Body {
  readonly status: number;

  constructor(content?: BodyInit | null, init: ResponseInit = {}) {
    super(content, init.headers);
    this.status = init.status ?? 200;
    if (!Number.isInteger(this.status) || this.status < 200 || this.status > 599) {
      throw new RangeError(`the status ${String(this.status)} is not one of 200 to 599`);
    }
  }

  /** A response with a value as JSON. */
  static json(value: unknown, init: ResponseInit = {}): Response {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) {
      throw new TypeError("the value cannot be written as JSON");
    }
    const response = new Response(text, init);
    if (new Headers(init.headers).get("content-type") === null) {
      response.headers.set("content-type", "application/json");
    }
    return response;
  }

  static redirect(url: string, status = 302): Response {
    return new Response(null, { status, headers: { location: url } });
  }

  /** Whether the status is one of 200 to 299. */
  get ok(): boolean {
    return this.status < 300;
  }

  clone(): Response {
    return new Response(this.content(), { status: this.status, headers: this.headers });
  }
}

function normalized(method: string): string {
  const upper = method.toUpperCase();
  return ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"].includes(upper) ? upper : method;
}

function read(content: BodyInit | null): [Uint8Array, string | undefined] {
  if (content === null) {
    return [new Uint8Array(), undefined];
  }
  if (typeof content === "string") {
    return [encodeText(content), "text/plain;charset=UTF-8"];
  }
  if (content instanceof URLSearchParams) {
    return [encodeText(content.toString()), "application/x-www-form-urlencoded;charset=UTF-8"];
  }
  if (!(content instanceof ArrayBuffer) && !ArrayBuffer.isView(content)) {
    const hint = typeof (content as { then?: unknown }).then === "function" ? ": write `await` before what gives it" : "";
    throw new TypeError(`content is a text, bytes or \`URLSearchParams\`${hint}`);
  }
  return [toBytes(content), undefined];
}
