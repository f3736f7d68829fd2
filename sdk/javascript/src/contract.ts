/**
 * The interfaces of `wit/` in the shapes in which they arrive in a component: `null` for an option that is not there, never `undefined`;
 * `{tag, val}` for a variant; a number for u64; a result's error is thrown as an `Error` whose `payload` it is. An option that is passed must
 * be `null` as well: `undefined` traps. The check of this package runs a component that looks at them.
 */

export interface Variant<Tag extends string, Value = undefined> {
  tag: Tag;
  val: Value;
}

export interface RawKey {
  partition: string;
  sort: string;
}

export interface RawItem {
  document: string;
  revision: string;
  index: RawKey | null;
  expiresAt: number | null;
}

export type RawPrecondition = { tag: "none" | "absent" | "present" } | Variant<"revision", string>;

export interface RawPutOptions {
  precondition: RawPrecondition;
  index: RawKey | null;
  expiresAt: number | null;
}

export type RawRange =
  { tag: "all" } | Variant<"prefix" | "at-least" | "at-most", string> | Variant<"between", [string, string]>;

export interface RawQueryOptions {
  range: RawRange;
  direction: "ascending" | "descending";
  limit: number;
  cursor: string | null;
}

export interface RawPage {
  entries: { key: RawKey; item: RawItem }[];
  cursor: string | null;
}

export type RawOperation =
  | Variant<"put", { key: RawKey; document: string; options: RawPutOptions }>
  | Variant<"delete" | "check", { key: RawKey; precondition: RawPrecondition }>;

type Failed = Variant<"precondition-failed", RawItem | null>;
export type RawPutOutcome = Variant<"done", string> | Failed;
export type RawDeleteOutcome = { tag: "done" } | Failed;
export type RawTransactOutcome =
  | Variant<"done", (string | null)[]>
  | Variant<"precondition-failed", { position: number; item: RawItem | null }>;

export type Consistency = "eventual" | "strong";

export interface RawStorage {
  get(key: RawKey, consistency: Consistency): RawItem | null;
  getMany(keys: RawKey[], consistency: Consistency): (RawItem | null)[];
  put(key: RawKey, document: string, options: RawPutOptions): RawPutOutcome;
  delete(key: RawKey, precondition: RawPrecondition): RawDeleteOutcome;
  query(partition: string, consistency: Consistency, options: RawQueryOptions): RawPage;
  queryIndex(partition: string, options: RawQueryOptions): RawPage;
  transact(operations: RawOperation[], token: string | null): RawTransactOutcome;
}

export type Level = "debug" | "info" | "warn" | "error";

export interface RawLog {
  write(level: Level, message: string, attributes: { key: string; value: string }[]): void;
}

export interface RawField {
  name: string;
  value: string;
}

export interface RawOutgoing {
  send(request: {
    method: string;
    url: string;
    headers: RawField[];
    body: Uint8Array;
    timeoutMs: number | null;
  }): { status: number; headers: RawField[]; body: Uint8Array };
}

export type Algorithm = "sha1" | "sha256" | "sha512";

export interface RawSecrets {
  sign(name: string, algorithm: Algorithm, message: Uint8Array): Uint8Array;
  verify(name: string, algorithm: Algorithm, message: Uint8Array, tag: Uint8Array): boolean;
  reveal(name: string): Uint8Array;
}

export interface RawRandom {
  getRandomBytes(length: number): Uint8Array;
}

export interface RawEnvironment {
  getEnvironment(): [string, string][];
}

export interface RawContext {
  requestId: string;
  receivedAtMs: number;
  scheme: "http" | "https";
  authority: string;
  clientAddress: string | null;
  basePath: string;
  pathFidelity: "encoded" | "decoded-by-gateway";
  identity: { subject: string | null; claims: string } | null;
}

export interface RawRequest {
  method: string;
  path: string;
  query: string;
  headers: string;
  body: Uint8Array;
  context: RawContext;
}

export interface RawResponse {
  status: number;
  headers: RawField[];
  body: Uint8Array;
}

/** The variant that a call threw, if it is one. */
export function thrownVariant(error: unknown): Variant<string, unknown> | undefined {
  const payload: unknown = (error as { payload?: unknown } | null | undefined)?.payload;
  return typeof payload === "object" && payload !== null && "tag" in payload && typeof payload.tag === "string"
    ? { val: undefined, ...(payload as { tag: string }) }
    : undefined;
}
