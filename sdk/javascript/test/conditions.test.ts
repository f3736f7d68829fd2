/** Conditional requests, repeated requests, and requests of pages. */

import { createHash } from "node:crypto";
import { deepEqual, equal, match, throws } from "node:assert/strict";
import test from "node:test";
import { App, Created, Partition, idempotencyKey, noContent, store } from "@tenon/sdk";
import { TestClient } from "@tenon/sdk/test";
import { sha256 } from "../src/sha256.js";

interface Room {
  beds: number;
}

const rooms = new Partition<Room>("rooms");
const json = { beds: 2 };

test("a write happens only if the client's conditions hold", async () => {
  const app = new App()
    .get("/rooms/{room}", ({ params }) => store.get(rooms.key(params.room)) ?? noContent())
    .put("/rooms/{room}", (context) => {
      return store.put(rooms.key(context.params.room), json, { if: context.conditions().required() });
    })
    .patch("/rooms/{room}", (context) => {
      return store.update(rooms.key(context.params.room), (room) => room, { if: context.conditions() });
    })
    .delete("/rooms/{room}", (context) => {
      store.delete(rooms.key(context.params.room), { if: context.conditions() });
      return noContent();
    });
  const client = new TestClient(app);
  const send = async (method: string, headers: Record<string, string> = {}) => {
    const response = await client.request(method, "/rooms/a", { headers });
    return [response.status, response.headers.get("etag")] as const;
  };
  deepEqual(await send("PUT"), [428, null]);
  deepEqual(await send("PUT", { "if-match": "*" }), [428, null]);
  deepEqual(await send("PUT", { "if-match": '"x"' }), [412, null]);
  const [status, tag] = await send("PUT", { "if-none-match": "*" });
  equal(status, 200);
  const etag = tag ?? "";
  deepEqual(await send("PUT", { "if-none-match": "*" }), [412, etag]);
  deepEqual(await send("GET", { "if-none-match": `"x", W/${etag}` }), [304, etag]);
  deepEqual(await send("PUT", { "if-match": "unquoted" }), [400, null]);
  const [, changed] = await send("PUT", { "if-match": `"x" ,, ${etag}` });
  equal(changed === etag, false);
  deepEqual(await send("PUT", { "if-match": etag }), [412, changed]);
  deepEqual(await send("PATCH", { "if-match": etag }), [412, changed]);
  deepEqual(await send("DELETE", { "if-match": `W/${changed ?? ""}` }), [412, changed]);
  deepEqual(await send("DELETE", { "if-match": changed ?? "" }), [204, null]);
  deepEqual(await send("DELETE", { "if-match": "*" }), [412, null]);
});

test("a request with a key that is sent again has no further effect", async () => {
  const app = new App().post("/rooms", async (context) => {
    const id = context.uuid();
    const operation = { put: rooms.key(id), value: json, if: "absent" } as const;
    const once = idempotencyKey(context)?.transact([operation], { id });
    return new Created(["rooms", once?.receipt.id ?? id], json);
  });
  const client = new TestClient(app);
  const send = async (key: string, beds: number, subject?: string) => {
    const identity = subject === undefined ? {} : { identity: { subject } };
    const response = await client.post("/rooms", { headers: { "idempotency-key": key }, json: { beds }, ...identity });
    return [response.status, response.headers.get("location"), response.headers.get("idempotency-replayed")] as const;
  };
  const [status, location, replayed] = await send('"a"', 1);
  deepEqual([status, replayed], [201, null]);
  deepEqual(await send("a", 1), [201, location, "true"]);
  equal((await send("a", 2))[0], 422);
  equal((await send('"a', 1))[0], 400);
  const [, other] = await send("a", 1, "ada");
  equal(other === location, false);
  client.advance(25 * 3_600_000);
  equal((await send("a", 2))[2], null);
  await client.run(() => {
    equal(store.query(rooms).items.length, 3);
  });
});

test("pages of listed origins may read", async () => {
  const app = new App().get("/", () => "hello").cors({ origins: ["https://app.example"], credentials: true, allowHeaders: ["x-a"] });
  const client = new TestClient(app);
  const origin = "https://app.example";
  const { headers } = await client.get("/", { headers: { origin } });
  deepEqual(
    ["access-control-allow-origin", "access-control-allow-credentials", "vary"].map((name) => headers.get(name)),
    [origin, "true", "origin"],
  );
  const foreign = await client.get("/unknown", { headers: { origin: "https://other.example" } });
  deepEqual([foreign.headers.get("access-control-allow-origin"), foreign.headers.get("vary")], [null, "origin"]);
  const preflight = await client.request("OPTIONS", "/", { headers: { origin, "access-control-request-method": "GET" } });
  equal(preflight.headers.get("access-control-allow-methods"), "GET, HEAD, OPTIONS");
  match(preflight.headers.get("access-control-allow-headers") ?? "", /if-match.*x-a$/);
  throws(() => new App().cors({ origins: "*", credentials: true }), /listed origins only/);
  // As from JavaScript, which has no types.
  throws(() => new App().cors({ origins: "https://app.example" as unknown as string[] }), /is "\*" or a list/);
  throws(() => new App().cors({ origins: ["*"], credentials: true }), /lists `\*`/);
  const open = await new TestClient(new App().cors({ origins: "*" })).get("/");
  deepEqual([open.headers.get("access-control-allow-origin"), open.headers.get("vary")], ["*", null]);
});

test("hashes are those of others", () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000]) {
    const bytes = new Uint8Array(length).map((_, at) => at * 7);
    equal(sha256(bytes.subarray(0, 1), bytes.subarray(1)), createHash("sha256").update(bytes).digest("hex"));
  }
});
