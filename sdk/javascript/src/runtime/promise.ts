/**
 * Promises for a component. Its engine runs no jobs after a function of the component has returned, and has no function that runs them; so
 * the build writes `async` functions as generators on the global `Promise`, which is this one, and `settle` runs its jobs.
 */

/** What to tell if a promise is where its value should be. */
export const PROMISE_IN_JSON = "a promise is no JSON: write `await` before the call of an `async` function, or `await Promise.all(...)` for several";

type Job = () => void;
type Reaction = { fulfilled: (value: unknown) => void; rejected: (reason: unknown) => void };

const jobs: Job[] = [];
/** Rejected promises that nothing waits for. */
const unhandled = new Set<{ reason(): unknown }>();

/** Adds a job, as `queueMicrotask` does. */
export function enqueue(job: Job): void {
  jobs.push(job);
}

/** Runs jobs until none is left, or until the promise is settled. Returns its value, or throws its reason. */
export function settle(promise: GuestPromise<unknown>): unknown {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
    job();
  }
  return promise.outcome();
}

/** The reasons of the promises that were rejected since the last call, and that nothing waits for. */
export function takeUnhandled(): unknown[] {
  const reasons = [...unhandled].map((promise) => promise.reason());
  unhandled.clear();
  return reasons;
}

/** `Promise` of the language, with `settle` in place of the engine's jobs. */
export class GuestPromise<T> {
  #state: "pending" | "fulfilled" | "rejected" = "pending";
  #result: unknown;
  #reactions: Reaction[] = [];

  constructor(executor: (resolve: (value: T) => void, reject: (reason: unknown) => void) => void) {
    const [resolve, reject] = this.#resolvers();
    try {
      executor(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  static get [Symbol.species](): typeof GuestPromise {
    return this;
  }

  static resolve<T>(value?: T): GuestPromise<T> {
    return value instanceof GuestPromise
      ? (value as GuestPromise<T>)
      : new GuestPromise((resolve) => {
          resolve(value as T);
        });
  }

  static reject(reason: unknown): GuestPromise<never> {
    return new GuestPromise((_, reject) => {
      reject(reason);
    });
  }

  static try<T>(work: (...parameters: unknown[]) => T, ...parameters: unknown[]): GuestPromise<T> {
    return new GuestPromise((resolve) => {
      resolve(work(...parameters));
    });
  }

  static withResolvers<T>(): {
    promise: GuestPromise<T>;
    resolve: (value: T) => void;
    reject: (reason: unknown) => void;
  } {
    let functions: [(value: T) => void, (reason: unknown) => void] | undefined;
    const promise = new GuestPromise<T>((...both) => {
      functions = both;
    });
    const [resolve, reject] = functions as unknown as [(value: T) => void, (reason: unknown) => void];
    return { promise, resolve, reject };
  }

  static all(values: Iterable<unknown>): GuestPromise<unknown[]> {
    return collect(values, (fill, _, reject) => [fill, reject]);
  }

  static allSettled(values: Iterable<unknown>): GuestPromise<unknown[]> {
    return collect(values, (fill) => [
      (value) => {
        fill({ status: "fulfilled", value });
      },
      (reason) => {
        fill({ status: "rejected", reason });
      },
    ]);
  }

  static any(values: Iterable<unknown>): GuestPromise<unknown> {
    const reversed = collect(values, (fill, _, reject) => [reject, fill]);
    return reversed.then(
      (errors) => {
        throw new AggregateError(errors, "all promises were rejected");
      },
      (value) => value,
    );
  }

  static race(values: Iterable<unknown>): GuestPromise<unknown> {
    return new GuestPromise((resolve, reject) => {
      for (const value of values) {
        GuestPromise.resolve(value).then(resolve, reject);
      }
    });
  }

  then<A = T, B = never>(
    fulfilled?: ((value: T) => A) | null,
    rejected?: ((reason: unknown) => B) | null,
  ): GuestPromise<A | B> {
    return new GuestPromise<A | B>((resolve, reject) => {
      const run = (work: ((value: never) => A | B) | null | undefined, other: (value: never) => void) =>
        (value: unknown) => {
          if (typeof work !== "function") {
            other(value as never);
            return;
          }
          try {
            resolve(work(value as never));
          } catch (error) {
            reject(error);
          }
        };
      this.#react({ fulfilled: run(fulfilled, resolve as (value: never) => void), rejected: run(rejected, reject) });
    });
  }

  catch<B>(rejected?: ((reason: unknown) => B) | null): GuestPromise<T | B> {
    return this.then(undefined, rejected);
  }

  finally(work?: (() => unknown) | null): GuestPromise<T> {
    if (typeof work !== "function") {
      return this.then();
    }
    return this.then(
      (value) => GuestPromise.resolve(work()).then(() => value) as unknown as T,
      (reason) =>
        GuestPromise.resolve(work()).then(() => {
          throw reason;
        }) as never,
    );
  }

  get [Symbol.toStringTag](): string {
    return "Promise";
  }

  /** The value; throws the reason, or that nothing can settle it any more. */
  outcome(): unknown {
    if (this.#state === "pending") {
      throw new Error("the handler waits for a promise that nothing settles");
    }
    unhandled.delete(this);
    if (this.#state === "rejected") {
      throw this.#result;
    }
    return this.#result;
  }

  /** Of a rejected promise. */
  reason(): unknown {
    return this.#result;
  }

  /** Without it, JSON has an empty object for a promise, which hides that `await` is missing. */
  toJSON(): never {
    throw new TypeError(PROMISE_IN_JSON);
  }

  #react(reaction: Reaction): void {
    unhandled.delete(this);
    if (this.#state === "pending") {
      this.#reactions.push(reaction);
    } else {
      this.#run(reaction);
    }
  }

  #run(reaction: Reaction): void {
    const react = this.#state === "fulfilled" ? reaction.fulfilled : reaction.rejected;
    enqueue(() => {
      react(this.#result);
    });
  }

  #finish(state: "fulfilled" | "rejected", result: unknown): void {
    this.#state = state;
    this.#result = result;
    if (state === "rejected" && this.#reactions.length === 0) {
      unhandled.add(this);
    }
    for (const reaction of this.#reactions.splice(0)) {
      this.#run(reaction);
    }
  }

  /** The two functions of a promise, of which the first call counts (ECMA-262, 27.2.1.3). */
  #resolvers(): [(value: T) => void, (reason: unknown) => void] {
    let isDone = false;
    const once = (work: (value: unknown) => void) => (value: unknown) => {
      if (!isDone) {
        isDone = true;
        work(value);
      }
    };
    const reject = (reason: unknown): void => {
      this.#finish("rejected", reason);
    };
    return [once((value) => this.#resolve(value)), once(reject)];
  }

  #resolve(value: unknown): void {
    if (value === this) {
      this.#finish("rejected", new TypeError("a promise cannot wait for itself"));
      return;
    }
    let then: unknown;
    try {
      const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
      then = isObject ? (value as { then?: unknown }).then : undefined;
    } catch (error) {
      this.#finish("rejected", error);
      return;
    }
    if (typeof then !== "function") {
      this.#finish("fulfilled", value);
      return;
    }
    const [resolve, reject] = this.#resolvers();
    enqueue(() => {
      try {
        (then as (this: unknown, ...functions: unknown[]) => void).call(value, resolve, reject);
      } catch (error) {
        reject(error);
      }
    });
  }
}

type Settlers = [(value: unknown) => void, (reason: unknown) => void];

/** A promise for one result of each value, in their order. */
function collect(
  values: Iterable<unknown>,
  settlers: (
    fill: (result: unknown) => void,
    resolve: (value: unknown[]) => void,
    reject: (reason: unknown) => void,
  ) => Settlers,
): GuestPromise<unknown[]> {
  return new GuestPromise((resolve, reject) => {
    const results: unknown[] = [];
    let open = 1;
    const close = (): void => {
      open -= 1;
      if (open === 0) {
        resolve(results);
      }
    };
    let count = 0;
    for (const value of values) {
      const at = count;
      count += 1;
      open += 1;
      const fill = (result: unknown): void => {
        results[at] = result;
        close();
      };
      GuestPromise.resolve(value).then(...settlers(fill, resolve, reject));
    }
    close();
  });
}
