/** What the commands of this package have in common: how they begin and how they fail. Loads nothing that may be missing. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder of this package. */
export const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));

/** A mistake in the program or in the command line, with what to tell about it. */
export class BuildError extends Error {}

/** Runs a command. Ends the process with 1 if it fails. */
export function run(name: string, work: () => Promise<void>): void {
  const begin = async (): Promise<void> => {
    const { engines } = JSON.parse(readFileSync(`${PACKAGE}/package.json`, "utf8")) as { engines: { node: string } };
    checkNode(process.versions.node, engines.node.replace(/[^0-9.]/g, ""));
    await work();
  };
  begin().catch((error: unknown) => {
    process.stderr.write(`${explain(name, error as Error & { code?: string })}\n`);
    process.exitCode = 1;
  });
}

/** Throws if this Node is too old. */
export function checkNode(version: string, oldest: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldest.split(".").map(Number);
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new BuildError(
      `error: this is Node ${version}, and the SDK needs ${oldest} or later\n  hint: install it, for example with \`nvm install ${oldest}\``,
    );
  }
}

/** What a failure says, with what to do about it. */
export function explain(name: string, error: Error & { code?: string }): string {
  if (error instanceof BuildError) {
    return error.message;
  }
  const text = `error: ${error.message}`;
  if (error.code?.startsWith("ERR_PARSE_ARGS") === true) {
    return `${text}\n  hint: \`${name} --help\` lists the options`;
  }
  const isMissing = error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND";
  if (isMissing || /native binding|@esbuild\/[\w-]+" could not be found/.test(error.message)) {
    const missing = `error: the packages of this project are not installed, or not all of them: ${error.message.split("\n")[0] ?? ""}`;
    return `${missing}\n  hint: run \`npm install\`, without \`--omit=optional\`; it needs the registry of npm, or \`npm install --offline\` with all packages in npm's cache`;
  }
  return text;
}
