/** The export of a component; the build adds the call. */

import "./runtime/globals.js";
import { App } from "./app.js";
import type { RawRequest, RawResponse } from "./contract.js";
import type { Response } from "./web/message.js";
import { write } from "./log.js";
import { begin, missingAwait } from "./runtime/phase.js";
import { GuestPromise, settle, takeUnhandled } from "./runtime/promise.js";
import { describe, show } from "./runtime/show.js";
import { sourceStack } from "./runtime/stack.js";

/** The interface `handler` of an application, which is the default export of a module. */
export function serve(app: unknown, module: string): { handle(request: RawRequest): RawResponse } {
  if (!(app instanceof App)) {
    const mistake = `the default export of \`${module}\` ${describeExport(app)}, and has to be the application`;
    throw new TypeError(`${mistake}: write \`export default new App()\` with its routes`);
  }
  return {
    handle(request) {
      begin();
      takeUnhandled();
      const response = answer(app, request);
      reportLeftovers(request);
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

/** Logs what the handler has not waited for. */
function reportLeftovers({ method, path }: RawRequest): void {
  const missing = missingAwait();
  if (missing !== undefined) {
    write("error", missing, { method, path });
  }
  for (const reason of takeUnhandled()) {
    const stack = reason instanceof Error ? sourceStack(reason) : "";
    const message = `a promise was rejected, and nothing waited for it: ${describe(reason)}`;
    write("error", message, { stack: stack === "" ? undefined : stack, method, path });
  }
}

function describeExport(value: unknown): string {
  if (value === undefined) {
    return "is missing";
  }
  const text = typeof value === "object" && value !== null ? "an object" : show(value);
  return `is ${text}`;
}
