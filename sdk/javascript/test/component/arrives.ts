/**
 * A component that says what its imports really give. `cargo xtask javascript` runs it and compares: the types of `contract.ts` and the host of
 * tests have to be true.
 */

import raw from "tenon:handler/storage@0.1.0";
import random from "wasi:random/random@0.2.12";
import { App, FetchError, environment, fetch, store } from "@tenon/sdk";
import { thrownVariant } from "../../src/contract.js";

const key = { partition: "p", sort: "s" };
const plain = { precondition: { tag: "none" } as const, index: null, expiresAt: null };
const query = { range: { tag: "all" } as const, direction: "ascending" as const, limit: 1, cursor: null };

function failure(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return { isError: error instanceof Error, variant: thrownVariant(error) };
  }
}

export default new App().get("/late", late).get("/rejected", rejected).get("/deep", () => deep(1)).get("/", async (context) => {
  const missing = raw.get(key, "strong");
  const put = raw.put(key, '{"a":1.0}', plain);
  const lost = raw.put(key, "{}", { ...plain, precondition: { tag: "absent" } });
  const item = raw.get(key, "strong");
  const page = raw.query("p", "strong", query);
  const transacted = raw.transact([{ tag: "delete", val: { key, precondition: { tag: "none" } } }], null);
  const expiring = raw.put(key, "{}", { ...plain, expiresAt: 4e9 });
  const expiresAt = raw.get(key, "strong")?.expiresAt;
  const { identity, clientAddress } = context;
  const first = Math.random();
  return {
    missing: String(missing),
    put: [put.tag, typeof (put as { val: unknown }).val],
    lost: [lost.tag, typeof (lost as { val: unknown }).val],
    item: { ...item, revision: typeof item?.revision },
    cursor: String(page.cursor),
    transacted,
    expiring: [expiring.tag, typeof expiresAt, expiresAt],
    refused: failure(() => raw.get({ partition: "", sort: "s" }, "strong")),
    random: Object.prototype.toString.call(random.getRandomBytes(3)) + String(random.getRandomBytes(3).length),
    identity: String(identity),
    address: typeof clientAddress,
    environment: [environment("GREETING"), String(environment("UNKNOWN"))],
    clock: [Date.now() === context.now.getTime(), new Date().getTime() === context.now.getTime()],
    differs: first !== Math.random() && crypto.randomUUID() !== crypto.randomUUID(),
    text: new TextDecoder().decode(new TextEncoder().encode("é😀")),
    order: await order(),
    fetch: await fetch("http://127.0.0.1:9/").catch((error: unknown) => (error as FetchError).code),
  };
});

/** Nothing waits for what it starts. */
function late(): object {
  void write().then(write);
  return {};
}

async function write(): Promise<void> {
  await Promise.resolve();
  store.put(key, {});
}

function deep(number: number): object {
  return [deep(number + 1)];
}

function rejected(): object {
  void Promise.reject(new RangeError("nobody waits"));
  return {};
}

/** What `async` functions, generators and loops make of the promises of a component. */
async function order(): Promise<unknown[]> {
  const seen: unknown[] = [];
  async function* numbers() {
    yield 1;
    await Promise.resolve();
    yield 2;
  }
  queueMicrotask(() => seen.push("job"));
  for await (const number of numbers()) {
    seen.push(number);
  }
  try {
    await Promise.all([Promise.resolve(3), Promise.reject(new Error("no"))]);
  } catch (error) {
    seen.push((error as Error).message);
  } finally {
    seen.push("finally");
  }
  return seen;
}
