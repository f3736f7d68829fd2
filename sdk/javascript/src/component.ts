/** The export of a component; the build adds the call. */

import "./runtime/globals.js";
import type { App } from "./app.js";
import type { RawRequest, RawResponse } from "./contract.js";
import type { Response } from "./web/message.js";
import { phase } from "./runtime/phase.js";
import { GuestPromise, settle } from "./runtime/promise.js";

/** The interface `handler` of an application. */
export function serve(app: App): { handle(request: RawRequest): RawResponse } {
  return {
    handle(request) {
      phase.isBuilding = false;
      const response = answer(app, request);
      const headers = response.headers.lines().map(([name, value]) => ({ name, value: value.toWellFormed() }));
      return { status: response.status, headers, body: response.content() };
    },
  };
}

function answer(app: App, request: RawRequest): Response {
  try {
    return settle(GuestPromise.resolve<unknown>(app.answer(request))) as Response;
  } catch (error) {
    // Nothing settled the promise that the handler waits for.
    return app.fail(error, request);
  }
}
