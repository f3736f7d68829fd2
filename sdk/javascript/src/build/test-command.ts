#!/usr/bin/env node
/** `tenon-test`: runs unit tests in Node, with the imports of a component in their places. */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BuildError, bundleTests } from "./bundle.js";

/** Below a folder that git ignores. */
const FOLDER = ".tenon/tests";

function find(folder: string): string[] {
  if (!existsSync(folder)) {
    return [];
  }
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.test\.[jt]s$/.test(name))
    .map((name) => join(folder, name));
}

async function main(): Promise<void> {
  const named = process.argv.slice(2);
  const files = named.length > 0 ? named : ["src", "test"].flatMap(find).sort();
  if (files.length === 0) {
    throw new BuildError("error: no tests: there is no file like `test/notes.test.ts` below `test` or `src`");
  }
  rmSync(FOLDER, { recursive: true, force: true });
  const modules = await bundleTests(files, FOLDER);
  const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...modules], { stdio: "inherit" });
  process.exitCode = status ?? 1;
}

main().catch((error: unknown) => {
  const text = error instanceof BuildError ? error.message : `error: ${(error as Error).message}`;
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
});
