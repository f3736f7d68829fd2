import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import test from "node:test";
import {
  App,
  Created,
  Partition,
  Problem,
  Response,
  type SecretError,
  environment,
  fetch,
  log,
  noContent,
  placeholder,
  secrets,
  store,
} from "@tenon/sdk";
import { array, boolean, integer, object, oneOf, optional, string } from "@tenon/sdk/schema";
import { TestClient } from "@tenon/sdk/test";

test("the most precise path answers, by its method", async () => {
  const app = new App()
    .get("/rooms/{room}", ({ params }) => `room ${params.room}`)
    .get("/rooms/new", () => "a form")
    .put("/rooms/{room}", () => noContent())
    .get("/files/{*path}", ({ params }) => params.path);
  const client = new TestClient(app);
  const text = async (target: string) => (await client.get(target)).text();
  equal(await text("/rooms/7"), "room 7");
  equal(await text("/rooms/a%2Fb"), "room a/b");
  equal(await text("/rooms/new"), "a form");
  equal(await text("/files/a/b"), "a/b");
  equal((await client.put("/rooms/7")).status, 204);
  equal((await client.get("/rooms/7/")).status, 404);
  equal((await client.get("/rooms/")).status, 404);
  equal((await client.get("/rooms/%ff")).status, 400);
  const head = await client.request("HEAD", "/rooms/7");
  deepEqual([head.status, await head.text()], [200, ""]);
  const options = await client.request("OPTIONS", "/rooms/7");
  equal(options.headers.get("allow"), "GET, HEAD, PUT, OPTIONS");
  const refused = await client.delete("/rooms/7");
  deepEqual([refused.status, refused.headers.get("allow")], [405, "GET, HEAD, PUT, OPTIONS"]);
});

test("mistakes in routes show when the program begins", () => {
  const mistakes = ["rooms", "/{a", "/a{b}", "/{}", "/{*a}/b", "/rooms/:room"];
  for (const path of mistakes) {
    let message = "";
    try {
      new App().get(path, () => "");
    } catch (error) {
      message = (error as Error).message;
    }
    match(message, /the pattern/, path);
  }
});

test("one path has one handler of a method, whatever its parameters are called", () => {
  const app = new App().get("/rooms/{room}", () => "").put("/rooms/{id}", () => "").get("/rooms/{*rest}", () => "");
  throws(() => app.get("/rooms/{id}", () => ""), {
    message: "`GET /rooms/{id}` has two handlers: `/rooms/{room}` is the same path",
  });
  throws(() => app.get("/rooms/{room}", () => ""), { message: "`GET /rooms/{room}` has two handlers" });
});

test("content has to be JSON that the schema describes", async () => {
  const schema = object({
    name: string({ min: 1, max: 3 }),
    beds: integer({ min: 1 }),
    kind: oneOf("single", "double"),
    tags: optional(array(string(), { max: 2 })),
    "a/b": optional(boolean()),
  });
  const app = new App().post("/rooms", async (context) => context.json(schema));
  const client = new TestClient(app);
  const room = { name: "😀😀😀", beds: 2, kind: "double", tags: ["x"] };
  const accepted = await client.post("/rooms", { json: room });
  deepEqual(await accepted.json(), room);
  for (const [json, errors] of [
    [{ ...room, name: "" }, ["/name must have 1 to 3 characters"]],
    [{ ...room, beds: 0.5, "a/b": 1 }, ["/beds must be a whole number", "/a~1b must be `true` or `false`"]],
    [{ ...room, beds: 0, kind: "x" }, ["/beds must be at least 1", "/kind must be one of `single`, `double`"]],
    [{ ...room, tags: ["a", 1] }, ["/tags/1 must be a string"]],
    [[], [" must be an object"]],
    [{ ...room, toString: 1 }, ["/toString is not known"]],
  ] as const) {
    const refused = await client.post("/rooms", { json });
    equal(refused.status, 422);
    const problem = (await refused.json()) as { errors: { pointer: string; detail: string }[] };
    deepEqual(problem.errors.map(({ pointer, detail }) => `${pointer} ${detail}`), errors);
  }
  const headers = { "content-type": "application/json; charset=utf-8" };
  equal((await client.post("/rooms", { body: "{", headers })).status, 400);
  equal((await client.post("/rooms", { body: Uint8Array.of(0x22, 0xff, 0x22), headers })).status, 400);
  equal((await client.post("/rooms", { body: "{}" })).status, 415);
});

test("a validator of Standard Schema takes the place of a schema", async () => {
  const validator = {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: (value: unknown) =>
        typeof value === "number" ? { value: value + 1 } : { issues: [{ message: "not a number", path: ["a", { key: 1 }] }] },
    },
  };
  const client = new TestClient(new App().post("/", async (context) => [await context.json<number>(validator)]));
  deepEqual(await (await client.post("/", { json: 1 })).json(), [2]);
  const refused = (await (await client.post("/", { json: "x" })).json()) as { errors: unknown };
  deepEqual(refused.errors, [{ detail: "not a number", pointer: "/a/1" }]);
});

test("what a handler throws is a problem, and what is not the client's mistake is logged", async () => {
  const app = new App()
    .get("/problem", () => Problem.conflict("taken"))
    .get("/error", async () => {
      await Promise.resolve();
      throw new TypeError("planted", { cause: new Error("root") });
    })
    .get("/nothing", (() => undefined) as never);
  const client = new TestClient(app);
  equal((await client.get("/problem")).status, 409);
  equal(client.lines.length, 0);
  const response = await client.get("/error");
  const problem = (await response.json()) as Record<string, unknown>;
  deepEqual([problem["status"], problem["code"], problem["title"]], [500, "internal", "Internal Server Error"]);
  equal(JSON.stringify(problem).includes("planted"), false);
  const [line] = client.lines;
  equal(line?.message, "TypeError: planted; because of Error: root");
  match(String(line?.attributes["stack"]), /app\.test/);
  equal((await client.get("/nothing")).status, 500);
  match(client.lines[1]?.message ?? "", /the handler of `GET \/nothing` returned undefined/);
});

test("a handler knows the caller, the base path and the environment", async () => {
  const app = new App()
    .get("/me", (context) => ({ ...context.requireIdentity(), role: environment("ROLE") ?? null }))
    .post("/rooms", () => new Created(["rooms", "a b"], { name: "a b" }));
  const client = new TestClient(app);
  const refused = await client.get("/me");
  deepEqual([refused.status, refused.headers.get("www-authenticate")], [401, "Bearer"]);
  client.setEnvironment("ROLE", "test");
  const known = await client.get("/me", { identity: { subject: "ada", claims: { email: "a@example.org" } } });
  deepEqual(await known.json(), { subject: "ada", claims: { email: "a@example.org" }, role: "test" });
  const created = await client.post("/rooms", { basePath: "/live" });
  equal(created.headers.get("location"), "/live/rooms/a%20b");
});

test("services answer, or the client reads what it may do", async () => {
  const app = new App().get("/", async () => {
    const response = await fetch("https://pay.example/charges#x", {
      method: "POST",
      headers: { authorization: `Bearer ${placeholder("key")}` },
      body: "1",
    });
    return { status: response.status, text: await response.text() };
  });
  const client = new TestClient(app);
  equal((await client.get("/")).status, 500); // not granted
  client.answerOutgoing((request) => {
    equal(request.url, "https://pay.example/charges");
    equal(request.headers.get("authorization"), "Bearer __secret.key__");
    return new Response("done", { status: 201 });
  });
  deepEqual(await (await client.get("/")).json(), { status: 201, text: "done" });
  client.lines.length = 0;
  for (const [code, status, problem, retryAfter] of [
    ["unreachable", 503, "service-unreachable", "1"],
    ["outcome-unknown", 502, "service-outcome-unknown", null],
    ["response-too-large", 502, "service-response", null],
    ["invalid-request", 500, "internal", null],
  ] as const) {
    client.answerOutgoing(() => code);
    const failed = await client.get("/");
    const document = (await failed.json()) as { code: string };
    deepEqual([failed.status, document.code, failed.headers.get("retry-after")], [status, problem, retryAfter]);
    match(client.lines.pop()?.message ?? "", new RegExp(`^FetchError: ${code}: `));
  }
});

test("secrets sign and verify, and the log has attributes", async () => {
  const client = new TestClient(new App());
  client.setSecret("key", "secret");
  await client.run(() => {
    const tag = secrets.sign("key", "sha256", "message");
    equal(tag.length, 32);
    equal(secrets.verify("key", "sha256", "message", tag), true);
    equal(secrets.verify("key", "sha256", "other", tag), false);
    let code = "";
    try {
      secrets.reveal("unknown");
    } catch (error) {
      code = (error as SecretError).code;
    }
    equal(code, "unknown");
    log.warn("low", { left: 3, of: undefined, error: new RangeError("x"), big: 10n });
  });
  deepEqual(client.lines, [{ level: "warn", message: "low", attributes: { left: 3, error: "RangeError: x", big: "10n" } }]);
});

test("a forgotten `await` shows", async () => {
  const rooms = new Partition<object>("rooms");
  const create = async (): Promise<object> => {
    await Promise.resolve();
    return store.put(rooms.key("a"), {});
  };
  const app = new App()
    .post("/late", () => {
      void create();
      return noContent();
    })
    .post("/async", async () => {
      await Promise.resolve();
      void create().then(create);
      return noContent();
    })
    .post("/json", async () => ({ room: create() }))
    .post("/list", async () => [1, 2].map(create))
    .post("/body", async () => new Response(create() as never));
  for (const path of ["/late", "/async"]) {
    const message = /returned before its work was done: the store was called afterwards; write `await`/;
    await rejects(new TestClient(app).post(path), message);
  }
  for (const path of ["/json", "/list", "/body"]) {
    const client = new TestClient(app);
    equal((await client.post(path)).status, 500);
    match(client.lines[0]?.message ?? "", path === "/body" ? /content is a text.*`await`/ : /a promise is no JSON: write `await`/);
  }
});

test("in a handler, globals are those of a component", async () => {
  const app = new App().get("/", (context) => {
    console.warn("low", 3);
    const time = [new Date().getTime() === context.now.getTime(), Date.now() === context.now.getTime(), performance.now()];
    const random = [Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(2)).join()];
    const missing = ["URL", "Buffer", "setTimeout", "process"].filter((name) => name in globalThis && Reflect.get(globalThis, name));
    return globalThis.Response.json({ time, random, missing, isDate: new Date(0) instanceof Date });
  });
  const answers = [];
  for (const client of [new TestClient(app), new TestClient(app)]) {
    answers.push(await (await client.get("/")).json());
    deepEqual(client.lines, [{ level: "warn", message: "low 3", attributes: {} }]);
  }
  const [one, other] = answers as { time: unknown; random: unknown[]; missing: string[]; isDate: boolean }[];
  deepEqual(one, other);
  deepEqual([one?.time, one?.missing, one?.isDate], [[true, true, 0], [], true]);
  equal(new URL("https://a.example/").host, "a.example");
  equal(Date.now() > 1.7e12, true);
});

test("a global that a handler sets is refused, because a component forgets it", async () => {
  const app = new App().get("/", () => {
    Reflect.set(globalThis, "visits", 1);
    return "";
  });
  await rejects(new TestClient(app).get("/"), /has set the global `visits`/);
  equal("visits" in globalThis, false);
});
