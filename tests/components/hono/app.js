// An application of Hono as for any other host of the Fetch API. Nothing in it knows this project.

import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { HTTPException } from "hono/http-exception";
import { fire } from "hono/service-worker";
import { stream } from "hono/streaming";
import { getEnvironment } from "wasi:cli/environment@0.2.10";

const app = new Hono();

app.use(async (c, next) => {
  console.log(`${c.req.method} ${c.req.path}`);
  await next();
  c.header("x-app", "hono");
});

app.get("/", (c) => c.text("Hello from Hono\n"));
app.get("/json", (c) => c.json({ text: "zażółć", list: [1, 2.5, null], big: 9007199254740991 }));
app.get("/users/:id", (c) => c.json({ id: c.req.param("id") }));
app.get("/users/:id/posts/:post{[0-9]+}", (c) => c.json(c.req.param()));
app.get("/query", (c) => c.json({ one: c.req.query("a") ?? null, all: c.req.queries("a") ?? [] }));
app.get("/headers", (c) => {
  const own = [...c.req.raw.headers].filter(([name]) => name.startsWith("x-test-"));
  c.header("x-count", String(own.length));
  return c.text(own.map(([name, value]) => `${name}=${value}\n`).sort().join(""));
});

app.post("/echo", (c) => {
  const type = c.req.header("content-type");
  return c.body(c.req.raw.body, 200, type ? { "content-type": type } : {});
});
app.put("/binary", async (c) => {
  const bytes = new Uint8Array(await c.req.arrayBuffer());
  return c.body(bytes.reverse(), 200, { "content-type": "application/octet-stream" });
});
app.post("/json", async (c) => {
  const value = await c.req.json().catch(() => undefined);
  return value === undefined ? c.json({ error: "not JSON" }, 400) : c.json({ got: value }, 201);
});
app.post("/form", async (c) => c.json(await c.req.parseBody()));

app.get("/status/:status", (c) => c.body(null, Number(c.req.param("status"))));
app.get("/redirect", (c) => c.redirect("/users/1?from=redirect", 303));
app.get("/cookies", (c) => {
  setCookie(c, "a", "1", { path: "/", httpOnly: true });
  setCookie(c, "b", "2", { maxAge: 60, sameSite: "Lax" });
  return c.json(getCookie(c));
});
app.get("/large", (c) => c.text("x".repeat(1 << 20)));
app.get("/stream", (c) =>
  stream(c, async (out) => {
    for (let left = 4; left > 0; left--) {
      await out.write(`chunk ${left}\n`);
      await out.sleep(5);
    }
  }),
);
app.get("/sleep", async (c) => {
  const start = performance.now();
  await new Promise((done) => setTimeout(done, 50));
  return c.text(`slept at least 50 ms: ${performance.now() - start >= 50}\n`);
});

app.get("/time", (c) => c.json({ now: Date.now() }));
app.get("/random", (c) => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return c.json({ bytes: [...bytes], uuid: crypto.randomUUID() });
});
app.get("/digest", async (c) => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc"));
  const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0"));
  return c.text(hex.join("") + "\n");
});

app.get("/fetch/:name", async (c) => {
  const base = Object.fromEntries(getEnvironment()).UPSTREAM;
  if (!base) return c.json({ error: "no UPSTREAM" }, 501);
  try {
    const answer = await fetch(`${base}/${c.req.param("name")}`, { headers: { "x-asked": "hono" } });
    return c.json({ status: answer.status, type: answer.headers.get("content-type"), body: await answer.text() });
  } catch {
    return c.json({ error: "upstream" }, 502);
  }
});
app.post("/fetch", async (c) => {
  const base = Object.fromEntries(getEnvironment()).UPSTREAM;
  const ask = async (part) => (await fetch(`${base}/echo`, { method: "POST", body: part })).text();
  const parts = (await c.req.text()).split(",");
  return c.json(await Promise.all(parts.map(ask)));
});

app.get("/forbidden", () => {
  throw new HTTPException(403, { message: "not for you" });
});
app.get("/throw", () => {
  throw new TypeError("planted");
});
app.onError((error, c) => {
  if (error instanceof HTTPException) return error.getResponse();
  console.error(error.stack ?? String(error));
  return c.json({ error: "internal" }, 500);
});
app.notFound((c) => c.json({ error: "not found", path: c.req.path }, 404));

// Without `fetch`, which would pass what no route answers on to the network.
fire(app, { fetch: undefined });
