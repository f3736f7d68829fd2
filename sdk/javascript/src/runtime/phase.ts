/** Whether requests are answered, or modules evaluated while the component is built, when there is no host. */

export const phase = { isBuilding: false };

/** Throws while the component is built. */
export function needHost(what: string): void {
  if (phase.isBuilding) {
    throw new Error(`${what} cannot be used while the component is built: use it in a handler, not at the top of a module`);
  }
}
