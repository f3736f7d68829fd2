/** Everything that a handler can return as a response. */

import type { Context } from "./context.js";
import { Item } from "./store/key.js";
import { Page } from "./store/page.js";
import { Response } from "./web/message.js";

/**
 * What a handler can return: a `Response` as it is; an `Item` as JSON with its entity tag, or 304; a `Page` as a list; a text as plain text;
 * any other object as JSON.
 */
export type Answer = Response | string | object;

/** 201 with the new resource's path in `location` and `content-location`, and what it is now as content. */
export class Created {
  readonly segments: readonly string[];

  /** The segments are percent-encoded and preceded by the API's base path. */
  constructor(
    segments: readonly string[],
    readonly content: Answer,
  ) {
    this.segments = segments;
  }
}

/** 204: done, and there is nothing to say. */
export function noContent(): Response {
  return new Response(null, { status: 204 });
}

/** Only the client may keep it, and must revalidate it before each use, which is what entity tags are for. */
const CACHE_CONTROL = "private, no-cache";

export function toResponse(answer: Answer, context: Context<unknown>): Response {
  if (answer instanceof Response) {
    return answer;
  }
  if (answer instanceof Created) {
    return created(answer, context);
  }
  if (answer instanceof Item) {
    return itemResponse(answer, context);
  }
  if (answer instanceof Page) {
    return pageResponse(answer, context);
  }
  return typeof answer === "string" ? new Response(answer) : Response.json(answer);
}

function created({ segments, content }: Created, context: Context<unknown>): Response {
  const location = context.reference(...segments);
  const inner = toResponse(content, context);
  const response = new Response(inner.content(), { status: 201, headers: inner.headers });
  response.headers.set("location", location);
  response.headers.set("content-location", location);
  return response;
}

function itemResponse(item: Item<object>, context: Context<unknown>): Response {
  const { method } = context.request;
  const isRead = method === "GET" || method === "HEAD";
  const isKnown = isRead && context.conditions().isKnown(item.revision);
  const response = isKnown ? new Response(null, { status: 304 }) : Response.json(item.value);
  response.headers.set("etag", `"${item.revision}"`);
  response.headers.set("cache-control", CACHE_CONTROL);
  return response;
}

function pageResponse(page: Page<unknown>, context: Context<unknown>): Response {
  const items = page.items.map((item) => (item instanceof Item ? item.value : item));
  if (page.cursor === undefined) {
    return Response.json({ items });
  }
  const response = Response.json({ items, next: page.cursor });
  const kept = [...context.query].filter(([name]) => name !== "cursor");
  const query = [...kept, ["cursor", page.cursor]].map(
    ([name, value]) => `${encodeURIComponent(name ?? "")}=${encodeURIComponent(value ?? "")}`,
  );
  const target = `${context.basePath}${context.path}`.replaceAll("<", "%3C").replaceAll(">", "%3E");
  response.headers.set("link", `<${target}?${query.join("&")}>; rel="next"`);
  return response;
}
