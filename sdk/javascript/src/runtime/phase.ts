/** Where the program is: modules are evaluated while the component is built, when there is no host; then requests are answered, one after the other. */

export const phase = {
  isBuilding: false,
  /** Whether the handler of the request has returned. */
  isAnswered: false,
};

/** What was called after the handler had returned. */
const late = new Set<string>();

/** A request begins. */
export function begin(): void {
  phase.isBuilding = false;
  phase.isAnswered = false;
  late.clear();
}

/** Throws while the component is built. */
export function needHost(what: string): void {
  if (phase.isBuilding) {
    throw new Error(`${what} cannot be used while the component is built: use it in a handler, not at the top of a module`);
  }
}

/** Notes a call of the host, which a handler waits for. */
export function called(what: string): void {
  if (phase.isAnswered) {
    late.add(what);
  }
}

/** What to tell if the handler has returned before its work was done. */
export function missingAwait(): string | undefined {
  if (late.size === 0) {
    return undefined;
  }
  const whats = [...late].join(" and ");
  return `the handler returned before its work was done: ${whats} was called afterwards; write \`await\` before each call of an \`async\` function`;
}
