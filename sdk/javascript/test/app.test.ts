import { deepEqual, equal, match } from "node:assert/strict";
import test from "node:test";
import { App, Created, Problem, Response, type SecretError, environment, fetch, log, noContent, placeholder, secrets } from "@tenon/sdk";
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
  equal((await client.get("/rooms/%ff")).status, 400);
  const head = await client.request("HEAD", "/rooms/7");
  deepEqual([head.status, await head.text()], [200, ""]);
  const options = await client.request("OPTIONS", "/rooms/7");
  equal(options.headers.get("allow"), "GET, HEAD, PUT, OPTIONS");
  const refused = await client.delete("/rooms/7");
  deepEqual([refused.status, refused.headers.get("allow")], [405, "GET, HEAD, PUT, OPTIONS"]);
});

test("mistakes in routes show when the program begins", () => {
  const mistakes = ["rooms", "/{a", "/a{b}", "/{}", "/{*a}/b"];
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

test("services answer, or the client gets 502", async () => {
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
  client.answerOutgoing(() => "unreachable");
  equal((await client.get("/")).status, 502);
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

