/** Random numbers, which follow from the request's seed, so that a replay draws the same. */

import raw from "wasi:random/random@0.2.12";
import { needHost } from "./runtime/phase.js";

/** Unpredictable bytes. */
export function randomBytes(length: number): Uint8Array {
  needHost("randomness");
  return raw.getRandomBytes(length);
}

/** A number from 0 up to, but without, 1, with 53 random bits. */
export function randomNumber(): number {
  const view = new DataView(randomBytes(8).slice().buffer);
  return ((view.getUint32(0) >>> 5) * 2 ** 26 + (view.getUint32(4) >>> 6)) / 2 ** 53;
}

/** A random UUID (version 4). */
export function randomUUID(): string {
  const [high, low] = randomNumbers();
  return formatUUID((high & ~0xf000n) | 0x4000n, low);
}

/** A UUID of version 7 (RFC 9562, 5.7), so that the order of ids is the order of creation. From the same seed, the SDK for Rust makes the same one. */
export function uuidOfTime(ms: number): string {
  const [high, low] = randomNumbers();
  return formatUUID((BigInt(ms) << 16n) | 0x7000n | (high & 0x0fffn), low);
}

function randomNumbers(): [bigint, bigint] {
  const view = new DataView(randomBytes(16).slice().buffer);
  return [view.getBigUint64(0, true), view.getBigUint64(8, true)];
}

/** The two halves of a UUID, of which the second one's first bits are its variant. */
function formatUUID(high: bigint, low: bigint): string {
  const digits = [high, (1n << 63n) | (low >> 2n)].map((half) => half.toString(16).padStart(16, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
