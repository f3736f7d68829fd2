/** The host of tests gives what a component gets: `cargo xtask javascript` compares the same file with what a component says. */

import { deepEqual, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { TestClient } from "@tenon/sdk/test";
import app from "./component/arrives.js";

test("the host of tests gives what a component gets", async () => {
  const client = new TestClient(app);
  client.setEnvironment("GREETING", "hello");
  const response = await client.get("/");
  equal(response.status, 200);
  const expected = JSON.parse(readFileSync("test/component/arrives.json", "utf8")) as object;
  deepEqual(await response.json(), expected);
});
