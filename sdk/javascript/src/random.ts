/** Random numbers, which follow from the request's seed, so that a replay draws the same. */

import raw from "wasi:random/random@0.2.12";

/** Unpredictable bytes. */
export function randomBytes(length: number): Uint8Array {
  return raw.getRandomBytes(length);
}

/** A number from 0 up to, but without, 1, with 53 random bits. */
export function randomNumber(): number {
  const view = new DataView(randomBytes(8).slice().buffer);
  return ((view.getUint32(0) >>> 5) * 2 ** 26 + (view.getUint32(4) >>> 6)) / 2 ** 53;
}

/** A random UUID (version 4). */
export function randomUUID(): string {
  return formatUUID(randomBytes(16), 4);
}

/** A UUID of version 7 (RFC 9562, 5.7), so that the order of ids is the order of creation. */
export function uuidOfTime(ms: number): string {
  const bytes = randomBytes(16).slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(ms / 2 ** 16));
  view.setUint16(4, ms % 2 ** 16);
  return formatUUID(bytes, 7);
}

function formatUUID(random: Uint8Array, version: number): string {
  const digits = Array.from(random, (byte, at) => {
    const value = at === 6 ? (byte & 0x0f) | (version << 4) : at === 8 ? (byte & 0x3f) | 0x80 : byte;
    return value.toString(16).padStart(2, "0");
  }).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
