// The items API in JavaScript with the AWS SDK, as a typical Lambda function, for the comparison in `cargo xtask bench lambda`.
//
// Only the routes that are measured. The runtime loop is the shortest that speaks Lambda's runtime API; Amazon's own does more.

import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import http from "node:http";
import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";

const TABLE = process.env.TENON_TABLE;
const PARTITION = "items#items";
const CURSOR_KEY = randomBytes(32);
const ID = /^[A-Za-z0-9_-]{1,64}$/;
const HEADERS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers":
    "accept-patch, allow, content-location, etag, idempotency-replayed, link, location, retry-after",
  "content-type": "application/json",
  "x-content-type-options": "nosniff",
};
const ABSENT = { ConditionExpression: "attribute_not_exists(pk)" };
const RECORD_SECONDS = 24 * 3600;
const MEMBERS = new Set(["name", "description", "price", "tags", "category", "attributes"]);

const client = new DynamoDBClient({ maxAttempts: 3, requestHandler: { connectionTimeout: 2000, requestTimeout: 2000 } });

class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

function answer(status, body, headers = {}) {
  const all = { ...HEADERS, "cache-control": "private, no-cache", ...headers };
  return { statusCode: status, headers: all, body: JSON.stringify(body), isBase64Encoded: false };
}

function uuid7() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = bytes.toString("hex");
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join("-");
}

function sorted(item) {
  return Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function draft(event) {
  let content;
  try {
    content = JSON.parse(event.body ?? "");
  } catch {
    throw new Problem(400, "the body is not JSON");
  }
  const isObject = typeof content === "object" && content !== null && !Array.isArray(content);
  if (!isObject || !Object.keys(content).every((name) => MEMBERS.has(name))) {
    throw new Problem(422, "the body is not an item");
  }
  const { name, price = 0, tags = [] } = content;
  if (typeof name !== "string" || name.length < 1 || name.length > 200) {
    throw new Problem(422, "`name` must be a string of 1 to 200 characters");
  }
  if (typeof price !== "number" || price < 0) {
    throw new Problem(422, "`price` must be a number from 0");
  }
  const isTag = (tag) => typeof tag === "string" && tag.length >= 1 && tag.length <= 50;
  if (!Array.isArray(tags) || tags.length > 20 || !tags.every(isTag)) {
    throw new Problem(422, "`tags` must be a list of at most 20 strings");
  }
  return content;
}

function entry(item) {
  const revision = randomBytes(12).toString("hex");
  const attributes = { pk: { S: PARTITION }, sk: { S: item.id }, doc: { M: marshall(item) }, rev: { S: revision } };
  if (item.category !== undefined) {
    attributes.ipk = { S: `items#category/${item.category}` };
    attributes.isk = { S: `${item.id}\0\0${PARTITION}\0\0${item.id}` };
  }
  return { attributes, revision };
}

async function write(item, condition) {
  const { attributes, revision } = entry(item);
  await client.send(new PutItemCommand({ TableName: TABLE, Item: attributes, ...condition }));
  return revision;
}

function created(item, revision, headers = {}) {
  const location = `/items/${item.id}`;
  return answer(201, item, { "content-location": location, location, etag: `"${revision}"`, ...headers });
}

function sha256(text) {
  return createHash("sha256").update(text).digest("hex");
}

// Writes the item and a record of the response in one transaction; a repeated POST gets the recorded response.
async function createIdempotently(event, item, name) {
  const fingerprint = sha256(event.body);
  const key = { pk: { S: `items#idempotency/${sha256(name)}` }, sk: { S: "-" } };
  const record = { fingerprint, id: item.id, body: JSON.stringify(item) };
  const expiresAt = { N: String(Math.floor(Date.now() / 1000) + RECORD_SECONDS) };
  const rev = { S: randomBytes(12).toString("hex") };
  const recorded = { ...key, doc: { M: marshall(record) }, rev, expires_at: expiresAt };
  const { attributes, revision } = entry(item);
  const puts = [recorded, attributes].map((Item) => ({ Put: { TableName: TABLE, Item, ...ABSENT } }));
  try {
    await client.send(new TransactWriteItemsCommand({ TransactItems: puts }));
  } catch (error) {
    if (error.name !== "TransactionCanceledException") {
      throw error;
    }
    const { Item } = await client.send(new GetItemCommand({ TableName: TABLE, Key: key, ConsistentRead: true }));
    if (!Item) {
      throw error;
    }
    const stored = unmarshall(Item.doc.M);
    if (stored.fingerprint !== fingerprint) {
      throw new Problem(422, "this `Idempotency-Key` was used with other content");
    }
    return created(JSON.parse(stored.body), Item.rev.S, { "idempotency-replayed": "true" });
  }
  return created(item, revision);
}

async function create(event) {
  const now = new Date().toISOString();
  const item = sorted({ ...draft(event), id: uuid7(), created_at: now, updated_at: now });
  const name = event.headers["idempotency-key"];
  return name === undefined ? created(item, await write(item, ABSENT)) : createIdempotently(event, item, name);
}

async function find(id) {
  const key = { pk: { S: PARTITION }, sk: { S: id } };
  const { Item } = await client.send(new GetItemCommand({ TableName: TABLE, Key: key, ConsistentRead: true }));
  return Item;
}

async function read(id) {
  const found = await find(id);
  if (!found) {
    throw new Problem(404, "there is no such item");
  }
  return answer(200, sorted(unmarshall(found.doc.M)), { etag: `"${found.rev.S}"` });
}

async function replace(event, id) {
  const content = draft(event);
  const found = await find(id);
  const now = new Date().toISOString();
  const created_at = found ? unmarshall(found.doc.M).created_at : now;
  const item = sorted({ ...content, id, created_at, updated_at: now });
  const condition = found
    ? { ConditionExpression: "rev = :rev", ExpressionAttributeValues: { ":rev": found.rev } }
    : ABSENT;
  const revision = await write(item, condition);
  return answer(found ? 200 : 201, item, { "content-location": `/items/${id}`, etag: `"${revision}"` });
}

function signature(id) {
  return createHmac("sha256", CURSOR_KEY).update(id).digest().subarray(0, 16);
}

async function list(event) {
  const { limit = "20", cursor } = event.queryStringParameters ?? {};
  if (!/^[0-9]{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 100) {
    throw new Problem(400, "`limit` is a whole number from 1 to 100");
  }
  let start;
  if (cursor !== undefined) {
    const bytes = Buffer.from(cursor, "base64url");
    const id = bytes.subarray(16).toString();
    if (bytes.length < 17 || !timingSafeEqual(bytes.subarray(0, 16), signature(id))) {
      throw new Problem(400, "`cursor` is none of ours");
    }
    start = { pk: { S: PARTITION }, sk: { S: id } };
  }
  const page = await client.send(
    new QueryCommand({
      TableName: TABLE,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": { S: PARTITION } },
      Limit: Number(limit),
      ExclusiveStartKey: start,
    }),
  );
  const body = { items: page.Items.map((item) => sorted(unmarshall(item.doc.M))) };
  if (!page.LastEvaluatedKey) {
    return answer(200, body);
  }
  const id = page.LastEvaluatedKey.sk.S;
  body.next = Buffer.concat([signature(id), Buffer.from(id)]).toString("base64url");
  return answer(200, body, { link: `</items?limit=${limit}&cursor=${body.next}>; rel="next"` });
}

async function route(event) {
  const { method } = event.requestContext.http;
  const path = event.rawPath;
  if (path === "/health" && method === "GET") {
    return answer(200, { status: "ok" }, { "cache-control": "no-store" });
  }
  if (path === "/items" && (method === "GET" || method === "POST")) {
    return method === "GET" ? list(event) : create(event);
  }
  const id = path.slice("/items/".length);
  if (path.startsWith("/items/") && ID.test(id) && (method === "GET" || method === "PUT")) {
    return method === "GET" ? read(id) : replace(event, id);
  }
  throw new Problem(404, "there is nothing here");
}

async function handle(event) {
  let status, detail;
  try {
    return await route(event);
  } catch (error) {
    if (error instanceof Problem) {
      [status, detail] = [error.status, error.message];
    } else if (error.name === "ConditionalCheckFailedException") {
      [status, detail] = [412, "the item has changed"];
    } else {
      [status, detail] = [503, "the store is not available"];
    }
  }
  return answer(status, { status, detail }, { "content-type": "application/problem+json" });
}

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body ? { "content-length": Buffer.byteLength(body) } : {};
    const request = http.request({ host, port, method, path, headers, agent }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function main() {
  // Connects, as the others do before their first event.
  await client.send(new GetItemCommand({ TableName: TABLE, Key: { pk: { S: "#tenon" }, sk: { S: "cursor-key" } } }));
  for (;;) {
    const next = await call("GET", "/2018-06-01/runtime/invocation/next");
    const id = next.headers["lambda-runtime-aws-request-id"];
    const event = JSON.parse(next.body);
    const started = performance.now();
    const payload = await handle(event);
    const totalMs = Number((performance.now() - started).toFixed(3));
    const line = { level: "INFO", message: "request", requestId: id, status: payload.statusCode, totalMs };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    await call("POST", `/2018-06-01/runtime/invocation/${id}/response`, JSON.stringify(payload));
  }
}

main();
