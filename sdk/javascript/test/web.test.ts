/** The web's classes of this package, against those of Node where both do the same. */

import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import test from "node:test";
import { Headers, Request, Response, URLSearchParams, decodeText, encodeText } from "../src/web.js";
import { decodeTextLossy } from "../src/web/text.js";

test("texts become UTF-8 and back", () => {
  for (const text of ["", "plain", "é €😀", "\u0000\ufeff", "x".repeat(10_000)]) {
    deepEqual(encodeText(text), new Uint8Array(Buffer.from(text)));
    equal(decodeText(encodeText(text)), text);
  }
  equal(decodeText(encodeText("a\ud800b")), "a\ufffdb");
  throws(() => decodeText(Uint8Array.of(0xc3)), URIError);
  equal(decodeTextLossy(Uint8Array.of(0x61, 0xff, 0xc3, 0xa9, 0xc3)), "a\ufffdé\ufffd");
});

test("queries are read and written as the web does", () => {
  for (const query of ["", "a=1&b=2&a=3", "?a=+%2B%20x", "%41=%C3%A9&=&x", "a=%zz&b=%FF", "q=~!'()*-._"]) {
    const [own, other] = [new URLSearchParams(query), new globalThis.URLSearchParams(query)];
    deepEqual([...own], [...other], query);
    equal(own.toString(), other.toString(), query);
  }
  const own = new URLSearchParams({ a: "1" });
  own.append("a", "2");
  own.set("a", "3");
  equal(own.toString(), "a=3");
  equal(own.get("b"), null);
});

test("header fields are joined, in the order of their names", () => {
  const fields: [string, string][] = [
    ["B", " 2 "],
    ["a", "1"],
    ["b", "3"],
    ["set-cookie", "x"],
    ["set-cookie", "y"],
  ];
  const [own, other] = [new Headers(fields), new globalThis.Headers(fields)];
  deepEqual([...own], [...other]);
  own.set("b", "4");
  own.delete("A");
  deepEqual([...own], [["b", "4"], ["set-cookie", "x"], ["set-cookie", "y"]]);
  throws(() => own.set("a b", ""), TypeError);
  throws(() => own.set("a", "x\ny"), TypeError);
});

test("content is read once", async () => {
  const response = Response.json({ a: "é" }, { status: 201 });
  equal(response.headers.get("content-type"), "application/json");
  equal(response.ok, true);
  const copy = response.clone();
  deepEqual(await response.json(), { a: "é" });
  equal(response.bodyUsed, true);
  await rejects(response.text(), TypeError);
  equal(await copy.text(), '{"a":"é"}');
  equal(new Response("x").headers.get("content-type"), "text/plain;charset=UTF-8");
  throws(() => new Response(null, { status: 99 }), RangeError);
});

test("a request has the method as the web normalises it", async () => {
  const request = new Request("https://api.example/", { method: "post", body: new URLSearchParams({ a: "b c" }) });
  equal(request.method, "POST");
  equal(await request.clone().text(), "a=b+c");
  throws(() => new Request("https://api.example/", { body: "x" }), TypeError);
});
