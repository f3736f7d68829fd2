// A guest in JavaScript: notes under /notes, on the same storage as any other guest.
//
// What is different here from a browser or Node: nothing is asynchronous, there is no TextEncoder, and `Math.random` repeats itself in
// every request, because each one starts from the same snapshot of the interpreter. So ids are the request's own.

import log from "tenon:handler/log@0.1.0";
import storage from "tenon:handler/storage@0.1.0";

const PARTITION = "notes";
const TEXT_CHARACTERS_MAX = 10_000;
const PAGE_ENTRIES_MAX = 50;

/** The export that hosts call. */
export const handler = {
  handle(request) {
    try {
      return route(request);
    } catch (error) {
      if (error instanceof Problem) {
        return problem(error.status, error.message);
      }
      // A store's error is a variant: {tag, val}.
      const tag = error?.tag ?? error?.payload?.tag;
      if (tag !== undefined) {
        log.write("error", "the store failed", [{ key: "error", value: JSON.stringify(tag) }]);
        return problem(503, "the store does not answer; try again");
      }
      // Anything else is a defect of this guest. An exception that leaves `handle` reaches the host as a trap without words, so message
      // and stack are logged here. The client reads neither.
      log.write("error", String(error), [{ key: "stack", value: JSON.stringify(String(error?.stack)) }]);
      return problem(500, "the service failed");
    }
  },
};

class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function route(request) {
  const segments = request.path.split("/").slice(1);
  if (segments[0] !== "notes" || segments.length > 2) {
    throw new Problem(404, "there is nothing under this path");
  }
  const id = segments[1] === undefined ? undefined : decodeId(segments[1]);
  switch (`${request.method} ${id === undefined ? "all" : "one"}`) {
    case "GET all":
      return list();
    case "POST all":
      return create(request);
    case "GET one":
      return read(id);
    case "DELETE one":
      return remove(id);
    default:
      throw new Problem(405, `${request.method} is not for this path`);
  }
}

function decodeId(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Problem(404, "there is no such note");
  }
}

function list() {
  const page = storage.query(PARTITION, "eventual", {
    range: { tag: "all" },
    direction: "ascending",
    limit: PAGE_ENTRIES_MAX,
    cursor: null,
  });
  const notes = page.entries.map((entry) => note(entry.key.sort, entry.item));
  return json(200, { notes, more: page.cursor !== null });
}

function create(request) {
  let input;
  try {
    input = JSON.parse(decode(request.body));
  } catch {
    throw new Problem(400, "the body is not JSON");
  }
  const text = input?.text;
  if (typeof text !== "string" || text.length === 0 || text.length > TEXT_CHARACTERS_MAX) {
    throw new Problem(422, `\`text\` has to be a string of 1 to ${TEXT_CHARACTERS_MAX} characters`);
  }
  const id = request.context.requestId;
  const created_at_ms = Number(request.context.receivedAtMs);
  const put = storage.put(key(id), JSON.stringify({ text, created_at_ms }), {
    precondition: { tag: "absent" },
    index: null,
    expiresAt: null,
  });
  if (put.tag !== "done") {
    throw new Problem(409, "this request has made its note already");
  }
  log.write("info", "note created", [{ key: "characters", value: String(text.length) }]);
  // The stage or base path of the API is not in `request.path`, but in the URL that the client has to ask for.
  const value = `${request.context.basePath}/notes/${encodeURIComponent(id)}`;
  return json(201, { id, text, created_at_ms }, [{ name: "location", value }]);
}

function read(id) {
  const item = storage.get(key(id), "strong");
  if (item === null) {
    throw new Problem(404, "there is no such note");
  }
  return json(200, note(id, item));
}

function remove(id) {
  const outcome = storage.delete(key(id), { tag: "present" });
  if (outcome.tag !== "done") {
    throw new Problem(404, "there is no such note");
  }
  return { status: 204, headers: [], body: new Uint8Array(0) };
}

function key(id) {
  return { partition: PARTITION, sort: id };
}

function note(id, item) {
  return { id, ...JSON.parse(item.document) };
}

function json(status, value, headers = [], type = "application/json") {
  return {
    status,
    headers: [{ name: "content-type", value: type }, ...headers],
    body: encode(JSON.stringify(value)),
  };
}

function problem(status, detail) {
  return json(status, { status, detail }, [], "application/problem+json");
}

/** UTF-8, by way of percent-encoding. */
function encode(text) {
  const bytes = unescape(encodeURIComponent(text.toWellFormed()));
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}

/** Throws where the bytes are not UTF-8. */
function decode(bytes) {
  let text = "";
  for (const byte of bytes) {
    text += String.fromCharCode(byte);
  }
  return decodeURIComponent(escape(text));
}
