/** The promises of a component, against what those of the language do. */

import { deepEqual, equal, throws } from "node:assert/strict";
import test from "node:test";
import { GuestPromise, settle, takeUnhandled } from "../src/runtime/promise.js";

type AnyPromise = { then(a?: unknown, b?: unknown): AnyPromise; catch(a: unknown): AnyPromise; finally(a: unknown): AnyPromise };
type Constructor = {
  new (executor: (resolve: (value?: unknown) => void, reject: (reason?: unknown) => void) => void): AnyPromise;
  resolve(value?: unknown): AnyPromise;
  reject(value?: unknown): AnyPromise;
  all(values: unknown[]): AnyPromise;
  allSettled(values: unknown[]): AnyPromise;
  any(values: unknown[]): AnyPromise;
  race(values: unknown[]): AnyPromise;
};

/** What is logged in which order, with either kind of promise. */
const programs: Record<string, (promise: Constructor, log: (value: unknown) => void) => AnyPromise> = {
  order(P, log) {
    const first = P.resolve(1).then((value: number) => {
      log(value);
      return P.resolve(2);
    });
    P.resolve(0).then(log).then(() => log("between"));
    log("at once");
    return first.then(log);
  },
  rejection(P, log) {
    return P.reject("no")
      .then(log)
      .catch((reason: unknown) => {
        log(reason);
        throw "again";
      })
      .finally(() => log("finally"))
      .then(undefined, (reason: unknown) => log(reason));
  },
  executor(P, log) {
    return new P((resolve, reject) => {
      resolve({ then: (done: (value: number) => void) => done(7) });
      reject("late");
      throw new Error("later");
    }).then(log);
  },
  combinators(P, log) {
    const slow = P.resolve(1).then(() => 2);
    return P.all([slow, 3, P.resolve(4)])
      .then(log)
      .then(() => P.allSettled([P.reject("a"), 5]))
      .then(log)
      .then(() => P.any([P.reject("b"), slow]))
      .then(log)
      .then(() => P.race([slow, P.reject("c")]))
      .then(log)
      .then(() => P.all([P.reject("d")]))
      .catch(log)
      .then(() => P.any([P.reject("e")]))
      .catch((error: AggregateError) => log(error.errors))
      .then(() => P.all([]))
      .then(log);
  },
  "not functions"(P, log) {
    return P.resolve(1).then(null, "x").finally(undefined).then(log);
  },
  itself(P, log) {
    const promise: AnyPromise = P.resolve(1).then(() => promise);
    return promise.catch((error: Error) => log(error.name));
  },
};

for (const [name, program] of Object.entries(programs)) {
  test(`promises: ${name}`, async () => {
    const [expected, actual]: [unknown[], unknown[]] = [[], []];
    const native = program(Promise as unknown as Constructor, (value) => expected.push(value));
    await (native as unknown as Promise<unknown>);
    settle(program(GuestPromise as unknown as Constructor, (value) => actual.push(value)) as GuestPromise<unknown>);
    deepEqual(actual, expected);
    equal(actual.length > 0, true);
  });
}

test("what nothing settles is an error", () => {
  throws(() => settle(new GuestPromise(() => undefined)), /a promise that nothing settles/);
});

test("a rejection that nothing waits for is known", () => {
  takeUnhandled();
  const main = GuestPromise.resolve(0);
  GuestPromise.reject("lost");
  GuestPromise.reject("caught").catch(() => 0);
  GuestPromise.resolve(1).then(() => {
    throw "late";
  });
  settle(main as GuestPromise<unknown>);
  deepEqual(takeUnhandled(), ["lost", "late"]);
  deepEqual(takeUnhandled(), []);
  throws(() => JSON.stringify({ a: main }), /a promise is no JSON: write `await`/);
});
