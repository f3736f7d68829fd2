/** Secrets that the guest uses without seeing them; see `wit/secrets.wit`. */

import raw from "tenon:handler/secrets@0.1.0";
import type { Algorithm } from "./contract.js";
import { Problem } from "./problem.js";
import { hostCall } from "./runtime/host-call.js";
import { encodeText } from "./web/text.js";

export type { Algorithm };

/** Why a secret could not be used. */
export class SecretError extends Error {
  override readonly name = "SecretError";

  constructor(
    /** `unknown`: not declared; `not-granted`: not for this use; `unavailable`: trying again later may help. */
    readonly code: "unknown" | "not-granted" | "unavailable",
    detail: string,
  ) {
    super(`${code}: ${detail}`);
  }

  /** @internal */
  toProblem(): Problem {
    return this.code === "unavailable"
      ? new Problem(503, "unavailable", "a secret cannot be had now", { headers: { "retry-after": "1" }, cause: this })
      : Problem.internal(this);
  }
}

/** Uses of secrets, by their names in section `[secrets]` of tenon.toml. */
export const secrets = {
  /** The HMAC of a message, whole: 20, 32 or 64 bytes. */
  sign(name: string, algorithm: Algorithm, message: string | Uint8Array): Uint8Array {
    return call(() => raw.sign(name, algorithm, bytes(message)));
  },
  /** Whether a tag is the HMAC of a message. Compares in constant time. */
  verify(name: string, algorithm: Algorithm, message: string | Uint8Array, tag: Uint8Array): boolean {
    return call(() => raw.verify(name, algorithm, bytes(message), tag));
  },
  /** The value itself. Who can sign, verify or write a placeholder instead does not need it. */
  reveal(name: string): Uint8Array {
    return call(() => raw.reveal(name));
  },
};

/** The text that the host replaces by a secret's value in a request to a service that the secret is for. Needs no import. */
export function placeholder(name: string): string {
  return `__secret.${name}__`;
}

function bytes(message: string | Uint8Array): Uint8Array {
  return typeof message === "string" ? encodeText(message) : message;
}

function call<T>(work: () => T): T {
  return hostCall("a secret", work, (tag, value) => new SecretError(tag as SecretError["code"], String(value)));
}
