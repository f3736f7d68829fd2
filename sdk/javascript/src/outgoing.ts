/** Requests to other services; see `wit/outgoing.wit`. */

import raw from "tenon:handler/outgoing@0.1.0";
import { Problem } from "./problem.js";
import { hostCall } from "./runtime/host-call.js";
import { Request, type RequestInit, Response } from "./web/message.js";

export interface FetchInit extends RequestInit {
  /** Time until the whole response must be there; 10 seconds if absent. */
  timeoutMs?: number;
}

/** Why there is no response. */
export class FetchError extends TypeError {
  override readonly name = "FetchError";

  constructor(
    /** Of `unreachable`, nothing was sent; of `outcome-unknown`, whether the service acted is unknown. */
    readonly code: "invalid-request" | "not-granted" | "unreachable" | "outcome-unknown" | "response-too-large",
    detail: string,
  ) {
    super(detail === "" ? code : `${code}: ${detail}`);
  }

  /** @internal The same as the SDK for Rust answers. */
  toProblem(): Problem {
    switch (this.code) {
      case "unreachable":
        return new Problem(503, "service-unreachable", "a service that this API needs cannot be reached", {
          headers: { "retry-after": "1" },
          cause: this,
        });
      case "outcome-unknown": {
        const detail = "a service that this API needs did not answer; it may or may not have acted";
        return new Problem(502, "service-outcome-unknown", detail, { cause: this });
      }
      case "response-too-large": {
        const detail = "a service that this API needs gave a response that is of no use";
        return new Problem(502, "service-response", detail, { cause: this });
      }
      case "invalid-request":
      case "not-granted":
        return Problem.internal(this);
    }
  }
}

/**
 * Sends a request to a service that the guest is granted (`outgoing` in tenon.toml), and waits for its whole response. Rejects with a
 * `FetchError`. The host follows no redirects and decodes no content coding.
 */
export async function fetch(input: string | Request, init: FetchInit = {}): Promise<Response> {
  const request = new Request(input, init);
  const send = () =>
    raw.send({
      method: request.method,
      url: request.url.replace(/#.*/s, ""),
      headers: request.headers.lines().map(([name, value]) => ({ name, value })),
      body: request.content(),
      timeoutMs: init.timeoutMs ?? null,
    });
  const answer = hostCall("another service", send, (tag, value) => new FetchError(tag as FetchError["code"], String(value ?? "")));
  const headers = answer.headers.map(({ name, value }): [string, string] => [name, value]);
  return new Response(answer.body.length > 0 ? answer.body : null, { status: answer.status, headers });
}
