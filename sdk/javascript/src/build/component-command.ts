#!/usr/bin/env node
/** `tenon-build`: makes the component. */

import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { BuildError, run } from "./command.js";

const USAGE = `Builds a component of an application. The same sources give the same bytes.

Usage: tenon-build [ENTRY] [--output FILE]

ENTRY is the module whose default export is the \`App\`, src/index.ts if it is not given.
The component is written to build/guest.wasm, or to FILE.

Example: tenon-build src/index.js --output build/guest.wasm`;

run("tenon-build", async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { output: { type: "string", short: "o" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const [entry = "src/index.ts", ...others] = positionals;
  if (others.length > 0) {
    throw new BuildError(`error: one module is the entry, not both \`${entry}\` and \`${others.join("`, `")}\``);
  }
  if (!existsSync(entry)) {
    throw new BuildError(`error: there is no \`${entry}\`\n  hint: run \`tenon-build ENTRY\` in the project's folder, with the module of the \`App\``);
  }
  const { bundleComponent } = await import("./bundle.js");
  const { writeComponent } = await import("./component.js");
  const output = values.output ?? "build/guest.wasm";
  const bytes = await writeComponent(await bundleComponent(entry), output);
  process.stderr.write(`wrote ${output}, ${String(bytes)} bytes\n`);
});
