/** The store of tests, which has the rules of the hosts. */

import { deepEqual, equal, match, throws } from "node:assert/strict";
import test from "node:test";
import { App, ConditionError, Partition, StorageError, store } from "@tenon/sdk";
import { TestClient } from "@tenon/sdk/test";

interface Room {
  beds: number;
}

const rooms = new Partition<Room>("rooms");
const run = (work: () => void) => new TestClient(new App()).run(work);

test("conditions hold or the write is lost", () =>
  run(() => {
    const key = rooms.key("a");
    equal(store.get(key), undefined);
    const created = store.put(key, { beds: 1 }, { if: "absent" });
    deepEqual(store.get(key), created);
    deepEqual(created.value, { beds: 1 });
    throws(() => store.put(key, { beds: 2 }, { if: "absent" }), ConditionError);
    const changed = store.put(key, { beds: 2 }, { if: { revision: created.revision } });
    throws(() => store.delete(key, { if: { revision: created.revision } }), ConditionError);
    store.delete(key, { if: { revision: changed.revision } });
    store.delete(key);
    throws(() => store.delete(key, { if: "present" }), ConditionError);
  }));

test("an item expires, and its secondary key finds it", async () => {
  const client = new TestClient(new App());
  const byBeds = new Partition<Room>("beds");
  await client.run(() => {
    const expiresAt = new Date("2026-01-01T01:00:00Z");
    const item = store.put(rooms.key("a"), { beds: 1 }, { index: byBeds.key("1"), expiresAt });
    deepEqual([item.expiresAt, item.index], [expiresAt, byBeds.key("1")]);
    deepEqual(store.queryIndex(byBeds).items, [item]);
    equal(store.update(rooms.key("a"), ({ beds }) => ({ beds: beds + 1 })).index?.sort, "1");
  });
  client.advance(3_600_000);
  await client.run(() => {
    equal(store.get(rooms.key("a")), undefined);
  });
});

test("queries have ranges and pages", () =>
  run(() => {
    for (const sort of ["a1", "a2", "b1", "b2"]) {
      store.put(rooms.key(sort), { beds: 1 });
    }
    const sorts = (options: Parameters<typeof store.query>[1]) =>
      store.query(rooms, options).items.map(({ key }) => key.sort).join(" ");
    equal(sorts({ prefix: "a" }), "a1 a2");
    equal(sorts({ from: "a2", to: "b1" }), "a2 b1");
    equal(sorts({ from: "b" }), "b1 b2");
    equal(sorts({ to: "a2", direction: "descending" }), "a2 a1");
    const { cursor } = store.query(rooms, { limit: 3 });
    equal(sorts({ limit: 3, cursor }), "b2");
    throws(() => store.query(rooms, { limit: 2, prefix: "a", cursor }), { status: 400, code: "invalid-cursor" });
    deepEqual(store.getMany([rooms.key("x"), rooms.key("a1")]).map((item) => item?.key.sort), [undefined, "a1"]);
  }));

test("a transaction happens whole or not at all", () =>
  run(() => {
    const [a, b] = [rooms.key("a"), rooms.key("b")];
    const put = { put: a, value: { beds: 1 }, if: "absent" } as const;
    const [revision, none] = store.transact([put, { delete: b }], "token");
    deepEqual([store.get(a)?.revision, none], [revision, undefined]);
    deepEqual(store.transact([put, { delete: b }], "token"), [revision, undefined]);
    let lost: ConditionError | undefined;
    try {
      store.transact([{ put: b, value: { beds: 2 } }, { check: a, if: { revision: "other" } }]);
    } catch (error) {
      lost = error as ConditionError;
    }
    deepEqual([lost?.position, lost?.revision, store.get(b)], [1, revision, undefined]);
  }));

test("the rules are those of the hosts", () =>
  run(() => {
    for (const [work, message] of [
      [() => store.get({ partition: "", sort: "a" }), /the partition is empty/],
      [() => store.put(rooms.key("a"), { beds: 1e300 }), /1e126|magnitude|number/],
      [() => store.put(rooms.key("a"), [] as never), /object/],
      [() => store.query(rooms, { limit: 1001 }), /limit/],
      [() => store.transact([{ delete: rooms.key("a") }, { delete: rooms.key("a") }]), /twice|different|key/],
    ] as const) {
      let thrown: unknown;
      try {
        work();
      } catch (error) {
        thrown = error;
      }
      equal((thrown as StorageError).code, "invalid");
      match((thrown as StorageError).message, message);
    }
  }));

test("a key that no item has is the client's mistake", () =>
  run(() => {
    for (const sort of ["", "x".repeat(1025), "é".repeat(513)]) {
      throws(() => store.get(rooms.key(sort)), { status: 400, code: "invalid-key" });
    }
    equal(store.get(rooms.key("é".repeat(512))), undefined);
  }));

test("a call fails as a test says, and the client is told when to come back", async () => {
  const app = new App()
    .get("/", () => store.get(rooms.key("a")) ?? "nothing")
    .post("/", () => store.put(rooms.key("a"), { beds: 1 }, { if: "present" }));
  const client = new TestClient(app);
  client.failStorage("throttled");
  client.failStorage("misconfigured");
  const later = await client.get("/");
  deepEqual([later.status, later.headers.get("retry-after")], [503, "1"]);
  equal((await client.get("/")).status, 500);
  equal((await client.get("/")).status, 200);
  equal((await client.post("/")).status, 404);
  deepEqual(client.calls, ["get", "get", "get", "put"]);
});

test("what a client reads of a lost write does not name keys", async () => {
  const key = rooms.key("2026-01-01#7");
  const app = new App()
    .post("/", () => store.put(key, { beds: 1 }, { if: "absent" }))
    .put("/", () => store.put(key, { beds: 1 }, { if: "present" }))
    .patch("/", () => store.update(key, (room) => room))
    .delete("/", () => store.transact([{ delete: key, if: "present" }]));
  const client = new TestClient(app);
  const read = async (method: string) => {
    const response = await client.request(method, "/");
    return `${String(response.status)} ${((await response.json()) as { detail?: string }).detail ?? ""}`;
  };
  deepEqual(
    [await read("PUT"), await read("PATCH"), await read("DELETE"), await read("POST"), await read("POST")],
    [
      "404 what the request changes is not there",
      "404 what the request changes is not there",
      "409 what the request changes is not there",
      "200 ",
      "409 what the request creates is there already",
    ],
  );
});
