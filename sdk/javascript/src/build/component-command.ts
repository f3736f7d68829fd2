#!/usr/bin/env node
/** `tenon-build`: makes the component. */

import { parseArgs } from "node:util";
import { BuildError, bundleComponent } from "./bundle.js";
import { writeComponent } from "./component.js";

const USAGE = `Builds a component of an application.

Usage: tenon-build [ENTRY] [--output FILE]

ENTRY is the module whose default export is the \`App\`, src/index.ts if it is not given.
The component is written to build/guest.wasm, or to FILE.`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { output: { type: "string", short: "o" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const output = values.output ?? "build/guest.wasm";
  const bundle = await bundleComponent(positionals[0] ?? "src/index.ts");
  const bytes = await writeComponent(bundle, output);
  process.stderr.write(`wrote ${output}, ${String(bytes)} bytes\n`);
}

main().catch((error: unknown) => {
  const text = error instanceof BuildError ? error.message : `error: ${(error as Error).message}`;
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
});
