/** The parts of the web platform that this package implements. */

export { Headers, type HeadersInit } from "./web/headers.js";
export { type BodyInit, Request, type RequestInit, Response, type ResponseInit } from "./web/message.js";
export { URLSearchParams } from "./web/search-params.js";
export { TextDecoder, TextEncoder, decodeText, encodeText } from "./web/text.js";
