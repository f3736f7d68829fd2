/**
 * Write a REST API as a component for Tenon: functions from requests to responses, which a host runs, records and replays.
 *
 * @example
 * import { App, Created, Partition, Problem, store } from "@tenon/sdk";
 * import { type Infer, object, string } from "@tenon/sdk/schema";
 *
 * const note = object({ text: string({ min: 1 }) });
 * const notes = new Partition<Infer<typeof note>>("notes");
 *
 * export default new App()
 *   .post("/notes", async (context) => {
 *     const id = context.uuid();
 *     const stored = store.put(notes.key(id), await context.json(note), { if: "absent" });
 *     return new Created(["notes", id], stored);
 *   })
 *   .get("/notes/{id}", ({ params }) => {
 *     return store.get(notes.key(params.id)) ?? Problem.notFound(`there is no note \`${params.id}\``);
 *   });
 *
 * @packageDocumentation
 */

export { App, type Handler } from "./app.js";
export { Conditions } from "./conditions.js";
export { Context, type Identity, type Pagination } from "./context.js";
export type { StandardSchema } from "./content.js";
export type { CorsOptions } from "./cors.js";
export { environment } from "./environment.js";
export { type IdempotencyKey, type Once, idempotencyKey } from "./idempotency.js";
export { type Attributes, type Level, log } from "./log.js";
export { FetchError, type FetchInit, fetch } from "./outgoing.js";
export type { Parameters } from "./pattern.js";
export { Problem, type ProblemOptions, type Violation } from "./problem.js";
export { randomBytes, randomUUID } from "./random.js";
export { type Answer, Created, noContent } from "./respond.js";
export { type Algorithm, SecretError, placeholder, secrets } from "./secrets.js";
export type { Condition } from "./store/condition.js";
export { ConditionError, StorageError, type StorageErrorCode } from "./store/error.js";
export { Item, type Key, Partition } from "./store/key.js";
export { Page } from "./store/page.js";
export {
  type Operation,
  type PutOptions,
  type QueryOptions,
  type ReadOptions,
  type WriteOptions,
  store,
} from "./store/store.js";
export * from "./web.js";
