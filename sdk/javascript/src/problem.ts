/** Problem documents (RFC 9457), the one form of errors. */

import { Response } from "./web/message.js";

/** A rule that the content breaks, and the JSON pointer (RFC 6901) to the place. */
export interface Violation {
  pointer: string;
  detail: string;
}

export interface ProblemOptions {
  /** Rules that the content breaks. */
  errors?: readonly Violation[];
  headers?: Readonly<Record<string, string>>;
  /** A URI that names the kind of problem, with a title that is the same for each of the kind. */
  type?: { uri: string; title: string };
  /** A URI that names this occurrence. */
  instance?: string;
  /** Further members of the document. */
  members?: Readonly<Record<string, unknown>>;
  /** For the operator's log; the client does not see it. */
  cause?: unknown;
}

/** An error for the client. A handler throws or returns it. */
export class Problem extends Error {
  override readonly name = "Problem";

  /** A problem with its status, a code for programs and a text for people. */
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly options: ProblemOptions = {},
  ) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause });
  }

  /** 400: the request makes no sense. */
  static badRequest(detail: string): Problem {
    return new Problem(400, "bad-request", detail);
  }

  /** 401: nobody has said who the caller is. */
  static unauthorized(detail: string): Problem {
    return new Problem(401, "unauthorized", detail, { headers: { "www-authenticate": "Bearer" } });
  }

  /** 403: the caller may not do this. */
  static forbidden(detail: string): Problem {
    return new Problem(403, "forbidden", detail);
  }

  /** 404: there is no such thing. */
  static notFound(detail: string): Problem {
    return new Problem(404, "not-found", detail);
  }

  /** 409: the state of the resource does not allow this. */
  static conflict(detail: string): Problem {
    return new Problem(409, "conflict", detail);
  }

  /** 422: valid JSON that breaks rules. */
  static invalidContent(errors: readonly Violation[]): Problem {
    return new Problem(422, "invalid-content", "the content breaks the rules listed in `errors`", { errors });
  }

  /** 500: the service is at fault. The client does not see why; the log does. */
  static internal(cause: unknown): Problem {
    return new Problem(500, "internal", "the service is at fault; its operator's log says more", { cause });
  }

  /** The document of a request's problem, its members in the order of their names. */
  toResponse(requestId: string): Response {
    const { errors = [], headers = {}, type, instance, members = {} } = this.options;
    const document = {
      code: this.code,
      detail: this.detail,
      ...(errors.length > 0 && { errors: errors.map(({ detail, pointer }) => ({ detail, pointer })) }),
      ...(instance !== undefined && { instance }),
      request_id: requestId,
      status: this.status,
      title: type?.title ?? phrase(this.status),
      type: type?.uri ?? "about:blank",
      ...members,
    };
    return Response.json(document, {
      status: this.status,
      headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
    });
  }
}

/** The status phrases of RFC 9110 and of IANA's registry that an API is likely to use. */
const PHRASES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  423: "Locked",
  428: "Precondition Required",
  429: "Too Many Requests",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

function phrase(status: number): string {
  return PHRASES[status] ?? (status < 500 ? "Bad Request" : "Internal Server Error");
}
