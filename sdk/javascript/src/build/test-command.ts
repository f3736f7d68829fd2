#!/usr/bin/env node
/** `tenon-test`: runs unit tests in Node, with the imports of a component in their places. */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BuildError, run } from "./command.js";

const USAGE = `Runs the tests of an application in Node.

Usage: tenon-test [FILE]... [--name TEXT]

Without FILE, all files like notes.test.ts below \`test\` and \`src\` are run. FILE is a path, or a part of the paths of such files.

  --name TEXT    only the tests whose name contains TEXT

The application's log of a test that fails is printed. Of \`npm test\`, options come after \`--\`.

Examples:
  npm test -- notes --name "comes in pages"
  tenon-test test/notes.test.ts`;

/** Below a folder that git ignores. */
const FOLDER = ".tenon/tests";

function below(folder: string): string[] {
  if (!existsSync(folder)) {
    return [];
  }
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.test\.[jt]s$/.test(name))
    .map((name) => join(folder, name));
}

/** The files that are meant: paths, and all whose path contains a text. */
function find(wanted: readonly string[]): string[] {
  const all = ["src", "test"].flatMap(below).sort();
  if (wanted.length === 0) {
    if (all.length === 0) {
      throw new BuildError("error: no tests: there is no file like `test/notes.test.ts` below `test` or `src`");
    }
    return all;
  }
  const found = wanted.flatMap((text) => {
    if (existsSync(text) && statSync(text).isFile()) {
      return [text];
    }
    const matching = all.filter((path) => path.includes(text));
    if (matching.length === 0) {
      const others = all.length === 0 ? "there are no files of tests" : `there are ${all.map((path) => `\`${path}\``).join(", ")}`;
      throw new BuildError(`error: no file of tests is or contains \`${text}\`: ${others}`);
    }
    return matching;
  });
  return [...new Set(found)];
}

run("tenon-test", async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { name: { type: "string", short: "n" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const files = find(positionals);
  const { bundleTests } = await import("./bundle.js");
  rmSync(FOLDER, { recursive: true, force: true });
  const modules = await bundleTests(files, FOLDER);
  // A pattern of Node is a regular expression.
  const name = values.name?.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const filter = name === undefined ? [] : [`--test-name-pattern=${name}`];
  const parameters = ["--enable-source-maps", ...filter, "--test", ...modules];
  const { status } = spawnSync(process.execPath, parameters, { stdio: "inherit" });
  process.exitCode = status ?? 1;
});
