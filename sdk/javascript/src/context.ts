/** One exchange, as a handler sees it. */

import type { RawContext } from "./contract.js";
import { Conditions } from "./conditions.js";
import { type StandardSchema, check, readJson } from "./content.js";
import { Problem } from "./problem.js";
import { uuidOfTime } from "./random.js";
import type { Schema } from "./schema.js";
import type { Request } from "./web/message.js";
import { URLSearchParams } from "./web/search-params.js";

/** The caller, as an authorizer in front of the host established it. */
export interface Identity {
  /** The authorizer's stable name for the caller, if it gave one. */
  readonly subject: string | undefined;
  /** Everything that the authorizer said. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The query parameters of a list. */
export interface Pagination {
  readonly limit: number;
  readonly direction: "ascending" | "descending" | undefined;
  readonly cursor: string | undefined;
}

/** The request with what belongs to it. */
export class Context<Parameters = Readonly<Record<string, string>>> {
  /** The path without the base path, percent-encoded. */
  readonly path: string;
  /** What follows `?`. */
  readonly query: URLSearchParams;
  /** Unique; appears in every log line and in problem documents. */
  readonly requestId: string;
  /** When the host received the request. The clock stands still at this time. */
  readonly now: Date;
  /** Host and optional port that the client asked for; may be empty. */
  readonly authority: string;
  /** The client's IP address as the gateway saw it. */
  readonly clientAddress: string | undefined;
  /** What precedes the path in the client's URL, such as `/live`. */
  readonly basePath: string;
  /** Whether the gateway decoded the path, so that `%2F` and `/` cannot be told apart. */
  readonly isPathDecoded: boolean;
  /** Absent if no authorizer identified the caller. */
  readonly identity: Identity | undefined;

  /** @internal What follows `?`, as it was sent. */
  readonly queryText: string;
  /** @internal What the authorizer said, as the host gave it. */
  readonly claimsText: string;
  /** @internal Whether the response is one to a request that an earlier one has done. */
  isReplayed = false;

  /** @internal */
  constructor(
    readonly request: Request,
    /** The decoded parameters of the path. */
    readonly params: Parameters,
    target: { path: string; query: string },
    context: RawContext,
  ) {
    this.path = target.path;
    this.query = new URLSearchParams(target.query);
    this.requestId = context.requestId;
    this.now = new Date(Number(context.receivedAtMs));
    this.authority = context.authority;
    this.clientAddress = context.clientAddress ?? undefined;
    this.basePath = context.basePath;
    this.isPathDecoded = context.pathFidelity === "decoded-by-gateway";
    this.identity = toIdentity(context.identity);
    this.queryText = target.query;
    this.claimsText = context.identity?.claims ?? "";
  }

  /** The caller; throws 401 if nobody has said who it is. */
  requireIdentity(): Identity {
    if (this.identity === undefined) {
      throw Problem.unauthorized("the request does not say who the caller is");
    }
    return this.identity;
  }

  /** The content as JSON: 415 and 400 if it is none, 422 with all rules of the schema that it breaks. */
  async json<T>(schema: Schema<T> | StandardSchema<T>): Promise<T> {
    const value = readJson(await this.request.bytes(), this.request.headers.get("content-type"));
    return check(value, schema);
  }

  /** What the client sent as `If-Match` and `If-None-Match`; 400 if one of them is invalid. */
  conditions(): Conditions {
    return new Conditions(this.request.headers);
  }

  /** `limit`, `order` (`asc` or `desc`) and `cursor` of the query; 400 if one is out of range. */
  pagination({ limit = 20, limitMax = 100 }: { limit?: number; limitMax?: number } = {}): Pagination {
    const wanted = this.#single("limit");
    const order = this.#single("order");
    const cursor = this.#single("cursor");
    if (wanted !== undefined && (!/^[0-9]+$/.test(wanted) || Number(wanted) < 1 || Number(wanted) > limitMax)) {
      throw invalidQuery(`\`limit\` is a whole number from 1 to ${String(limitMax)}`);
    }
    if (order !== undefined && order !== "asc" && order !== "desc") {
      throw invalidQuery("`order` is `asc` or `desc`");
    }
    if (cursor === "") {
      throw invalidQuery("`cursor` is empty");
    }
    const direction = order === undefined ? undefined : order === "asc" ? "ascending" : "descending";
    return { limit: wanted === undefined ? limit : Number(wanted), direction, cursor };
  }

  /** A new UUID of version 7: in the order of creation. */
  uuid(): string {
    return uuidOfTime(this.now.getTime());
  }

  /** The path of a resource of this API in the client's URL: the base path and the percent-encoded segments. */
  reference(...segments: readonly string[]): string {
    const encoded = segments.map((segment) => `/${encodeURIComponent(segment.toWellFormed())}`);
    return this.basePath + encoded.join("");
  }

  #single(name: string): string | undefined {
    const values = this.query.getAll(name);
    if (values.length > 1) {
      throw invalidQuery(`\`${name}\` is given twice`);
    }
    return values[0];
  }
}

function invalidQuery(detail: string): Problem {
  return new Problem(400, "invalid-query", detail);
}

function toIdentity(identity: RawContext["identity"]): Identity | undefined {
  if (!identity) {
    return undefined;
  }
  return { subject: identity.subject ?? undefined, claims: JSON.parse(identity.claims) as Record<string, unknown> };
}
