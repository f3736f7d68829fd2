/** The API without a host: requests to the application, with the rules of the hosts and a store in memory. */

import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";
import { TestClient } from "@tenon/sdk/test";
import app from "../src/index.js";

test("a created note can be read", async () => {
  const client = new TestClient(app);
  const created = await client.post("/notes", { json: { text: "buy milk" } });
  equal(created.status, 201);
  const note = await created.json();
  equal((note as { created_at: string }).created_at, "2026-01-01T00:00:00.000Z");

  const location = created.headers.get("location") ?? "";
  const read = await client.get(location);
  equal(read.status, 200);
  deepEqual(await read.json(), note);

  const tag = read.headers.get("etag") ?? "";
  const unchanged = await client.get(location, { headers: { "if-none-match": tag } });
  equal(unchanged.status, 304);
});

test("a list comes in pages", async () => {
  const client = new TestClient(app);
  for (const text of ["a", "b", "c"]) {
    client.advance(1);
    await client.post("/notes", { json: { text } });
  }
  const texts = async (target: string) => {
    const page = (await (await client.get(target)).json()) as { items: { text: string }[]; next?: string };
    return { texts: page.items.map(({ text }) => text), next: page.next };
  };
  const first = await texts("/notes?limit=2");
  deepEqual(first.texts, ["a", "b"]);
  deepEqual(await texts(`/notes?limit=2&cursor=${first.next ?? ""}`), { texts: ["c"], next: undefined });
});

test("a note that breaks a rule is refused with its place", async () => {
  const client = new TestClient(app);
  for (const [json, pointer] of [
    [{ text: "" }, "/text"],
    [{ text: 7 }, "/text"],
    [{ text: "a", colour: "red" }, "/colour"],
    [{}, ""],
  ]) {
    const refused = await client.post("/notes", { json });
    equal(refused.status, 422);
    const problem = (await refused.json()) as { errors: { pointer: string }[] };
    equal(problem.errors[0]?.pointer, pointer);
  }
});

test("a note that is not there is a problem", async () => {
  const response = await new TestClient(app).get("/notes/unknown");
  equal(response.status, 404);
  equal(((await response.json()) as { detail: string }).detail, "there is no note `unknown`");
});

test("a store in trouble asks the client to come back", async () => {
  const client = new TestClient(app);
  client.failStorage("unavailable");
  const response = await client.post("/notes", { json: { text: "buy milk" } });
  equal(response.status, 503);
  equal(response.headers.get("retry-after"), "1");
});
