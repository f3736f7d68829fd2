/** Shows the application's log of a test that has failed. `tenon-test` adds this module to each file of tests. */

import { afterEach } from "node:test";
import { recent } from "./host.js";

/** What a test's context has since Node 20.12; its types are older. */
interface Finished {
  passed?: boolean;
  diagnostic(message: string): void;
}

afterEach((context) => {
  const { passed } = context as unknown as Finished;
  const lines = recent.splice(0);
  if (passed === false) {
    for (const { level, message, attributes } of lines) {
      const { stack, ...rest } = attributes;
      const values = Object.entries(rest).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
      process.stderr.write(`level=${level} message=${JSON.stringify(message)}${values.join("")}\n`);
      if (typeof stack === "string") {
        process.stderr.write(`${stack.replace(/^/gm, "    ")}\n`);
      }
    }
  }
});
