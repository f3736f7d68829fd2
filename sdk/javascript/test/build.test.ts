/** The commands of this package, in processes of their own. */

import { deepEqual, equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import test from "node:test";
import { checkNode, explain } from "../src/build/command.js";

/** A program of which much could differ: time, random numbers, tables, and packages that are modules of Node. */
const PROGRAM = `
import { App, Partition, store } from "@tenon/sdk";
import table from "./table.cjs";
const started = [Date.now(), new Date().toISOString()];
const seen = new Map(Array.from({ length: 100 }, (_, at) => [{ at }, String(at)]));
const rooms = new Partition("rooms");
export default new App()
  .get("/", () => ({ started, seen: seen.size, table: table.of }))
  .get("/rooms", () => store.query(rooms).values());
`;

function project(files: Record<string, string>, ...below: string[]): string {
  const folder = join(mkdtempSync(join(tmpdir(), "tenon-sdk-")), ...below);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function command(name: string, folder: string, ...parameters: string[]): { status: number | null; text: string; output: string } {
  // Without what Node tells the processes of its own tests.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const path = resolve("dist/build", `${name}-command.js`);
  const { status, stderr, stdout } = spawnSync(process.execPath, [path, ...parameters], { cwd: folder, env, encoding: "utf8" });
  return { status, text: stderr, output: stdout };
}

test("the same sources are the same component, wherever they lie", () => {
  const files = { "src/index.ts": PROGRAM, "src/table.cjs": "module.exports = { of: [1, 2] };\n" };
  const folders = [project(files), project(files, "another", "place")];
  const [one, other] = folders.map((folder) => {
    const { status, text } = command("component", folder);
    equal(status, 0, text);
    return readFileSync(join(folder, "build/guest.wasm"));
  });
  equal(one?.equals(other ?? Buffer.of()), true);
  equal(one?.includes(tmpdir()), false);
  for (const folder of folders) {
    rmSync(folder, { recursive: true });
  }
});

test("no folder of the machine that built this package is in it", () => {
  const rules = readFileSync("dist/rules.wasm");
  for (const folder of [resolve("../.."), homedir()]) {
    equal(rules.includes(`${folder}/`), false, folder);
  }
});

test("a module without an application is refused", () => {
  for (const [source, said] of [
    ["export function handler() {}", "is missing"],
    ["export default function handler() {}", "is \\[function handler\\]"],
    ["export default { fetch() {} };", "is an object"],
  ] as const) {
    const folder = project({ "src/index.ts": source });
    const { status, text } = command("component", folder);
    equal(status, 1, source);
    match(text, new RegExp(`the default export of \`src/index.ts\` ${said}.*write \`export default new App\\(\\)\``));
    equal(/^ +at /m.test(text), false, text);
    equal(existsSync(join(folder, "build")), false);
    rmSync(folder, { recursive: true });
  }
  const folder = project({});
  match(command("component", folder).text, /there is no `src\/index.ts`\n {2}hint: /);
});

const TESTS = `
import { equal } from "node:assert/strict";
import test from "node:test";
import { App, log } from "@tenon/sdk";
import { TestClient } from "@tenon/sdk/test";
const client = new TestClient(new App().get("/", () => {
  log.info("room read", { id: 7 });
  throw new TypeError("planted");
}));
test("a room is read", async () => equal((await client.get("/")).status, 200));
test("nothing is read", () => {});
`;

test("a failed test shows the application's log, and tests are chosen by name and file", () => {
  const folder = project({ "test/rooms.test.ts": TESTS, "test/days.test.ts": `import "node:test";\n` });
  const all = command("test", folder);
  equal(all.status, 1);
  match(all.output, /level=info message="room read" id=7/);
  match(all.output, /level=error message="TypeError: planted"[^]*rooms\.test\.ts:8/);
  const one = command("test", folder, "rooms", "--name", "nothing is");
  deepEqual([one.status, /room read/.test(one.output)], [0, false], one.output);
  const none = command("test", folder, "beds");
  match(none.text, /no file of tests is or contains `beds`: there are `test\/days\.test\.ts`, `test\/rooms\.test\.ts`/);
  match(command("test", folder, "--help").output, /--name TEXT/);
  match(command("test", folder, "--nam").text, /hint: `tenon-test --help`/);
  rmSync(folder, { recursive: true });
});

test("what is missing is named with what to do", () => {
  checkNode("20.19.0", "20.19");
  checkNode("22.1.0", "20.19");
  for (const old of ["18.20.4", "20.18.3"]) {
    let message = "";
    try {
      checkNode(old, "20.19");
    } catch (error) {
      message = (error as Error).message;
    }
    match(message, new RegExp(`this is Node ${old}.*20\\.19 or later\n {2}hint: install it`));
  }
  const missing = Object.assign(new Error("Cannot find package 'esbuild'\nrequired by"), { code: "ERR_MODULE_NOT_FOUND" });
  match(explain("tenon-build", missing), /Cannot find package 'esbuild'\n {2}hint: run `npm install`/);
});
