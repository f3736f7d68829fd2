/** The examples of the guide: each is a file that its first line names. They have the types that they say, and their tests pass. */

import { equal } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import test from "node:test";

const GUIDE = "../../docs/guide/typescript.md";
const TEMPLATE = "../../host-cli/templates/typescript";

test("the examples of the guide are right", () => {
  const folder = mkdtempSync(join(tmpdir(), "tenon-guide-"));
  const examples = [...readFileSync(GUIDE, "utf8").matchAll(/```ts\n\/\/ (\S+)\n([^]*?)```/g)];
  equal(examples.length > 5, true);
  const files = [
    ...examples.map(([, name = "", text = ""]) => [name, text]),
    ...["tsconfig.json", "test/tsconfig.json"].map((name) => [name, readFileSync(join(TEMPLATE, name), "utf8")]),
  ];
  for (const [name = "", text = ""] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  mkdirSync(join(folder, "node_modules/@tenon"), { recursive: true });
  symlinkSync(resolve("."), join(folder, "node_modules/@tenon/sdk"));
  symlinkSync(resolve("node_modules/@types"), join(folder, "node_modules/@types"));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  for (const parameters of [
    [resolve("node_modules/typescript/bin/tsc"), "--noEmit"],
    [resolve("node_modules/typescript/bin/tsc"), "--noEmit", "--project", "test"],
    [resolve("dist/build/test-command.js")],
  ]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, parameters, { cwd: folder, env, encoding: "utf8" });
    equal(status, 0, stdout + stderr);
  }
  rmSync(folder, { recursive: true });
});
