/** UTF-8, for engines without the encoding interface of the web. */

const CHUNK_BYTES = 4096;

/** The UTF-8 bytes of a text; a lone surrogate becomes U+FFFD. */
export function encodeText(text: string): Uint8Array {
  // What these two functions do is native in every engine; a loop over code points is not.
  const binary = unescape(encodeURIComponent(text.toWellFormed()));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) {
    bytes[at] = binary.charCodeAt(at);
  }
  return bytes;
}

/** The text of UTF-8 bytes. Throws a `URIError` if they are not UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  const binary = binaryText(bytes);
  // Without bytes beyond ASCII, the text is the bytes.
  return /^[\0-\x7f]*$/.test(binary) ? binary : decodeURIComponent(escape(binary));
}

/** The same with U+FFFD for each byte that is not UTF-8. */
export function decodeTextLossy(bytes: Uint8Array): string {
  try {
    return decodeText(bytes);
  } catch {
    return binaryText(bytes).replace(SEQUENCES, (sequence) => {
      try {
        return decodeURIComponent(escape(sequence));
      } catch {
        return "\ufffd".repeat(sequence.length);
      }
    });
  }
}

/** Sequences of UTF-8 by their first byte, and bytes that begin none. */
const SEQUENCES =
  /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff]/g;

/** Each byte as the character with its number. */
function binaryText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES));
  }
  return text;
}

/** `TextEncoder` of the web, without `encodeInto`. */
export class TextEncoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array {
    return encodeText(text);
  }
}

/** `TextDecoder` of the web for UTF-8, without streams. */
export class TextDecoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;

  constructor(label = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i.test(label)) {
      throw new RangeError(`the encoding \`${label}\` is not supported: only utf-8 is`);
    }
    this.fatal = options.fatal ?? false;
    this.ignoreBOM = options.ignoreBOM ?? false;
  }

  decode(input: ArrayBuffer | ArrayBufferView = new Uint8Array()): string {
    const bytes = toBytes(input);
    let text: string;
    try {
      text = this.fatal ? decodeText(bytes) : decodeTextLossy(bytes);
    } catch {
      throw new TypeError("the bytes are not UTF-8");
    }
    return !this.ignoreBOM && text.startsWith("\ufeff") ? text.slice(1) : text;
  }
}

/** A view of the bytes of a buffer. */
export function toBytes(input: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(input)
    ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
    : new Uint8Array(input);
}
