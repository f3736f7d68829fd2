/** Makes a component of a bundle. */

import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ComponentizeOpts, type ComponentizeResult, componentize } from "componentize-qjs";
import { sourceStack } from "../runtime/stack.js";
import type { Bundle } from "./bundle.js";
import { BuildError, PACKAGE } from "./command.js";
import { deterministicEngine } from "./engine.js";
import { unstub } from "./unstub.js";

/** The engine itself asks for the time, whatever the program does. */
const ALWAYS = ["wasi:clocks/wall-clock"];

export async function writeComponent(bundle: Bundle, output: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "tenon-build-"));
  let component: Uint8Array;
  try {
    await cp(join(PACKAGE, "wit"), join(folder, "deps"), { recursive: true });
    await writeFile(join(folder, "world.wit"), world(bundle.imports));
    const built = await evaluate(bundle, {
      witPath: folder,
      world: "guest",
      jsSource: bundle.code,
      runtimeBytes: deterministicEngine(await readFile(nativeLibrary())),
      stubWasi: true,
    });
    component = built.component;
  } finally {
    await rm(folder, { recursive: true });
  }
  const wasi = bundle.imports.filter((name) => name.startsWith("wasi:")).map((name) => name.replace(/@.*/, ""));
  const complete = unstub(component, [...ALWAYS, ...wasi]);
  await mkdir(dirname(output), { recursive: true });
  // In one step, so that a host never reads half of it.
  const partial = `${output}.${String(process.pid)}`;
  await writeFile(partial, complete);
  await rename(partial, output);
  return complete.length;
}

/** The componentizer's native library, which this process has loaded; it is in a package of its own for each system. */
function nativeLibrary(): string {
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  const library = loaded.find((path) => /componentize-qjs[^/\\]*\.node$/.test(path));
  if (library === undefined) {
    throw new Error("componentize-qjs has loaded no native library");
  }
  return library;
}

/** Evaluates the modules. An error that one of them throws is shown with its places in the sources. */
async function evaluate(bundle: Bundle, options: ComponentizeOpts): Promise<ComponentizeResult> {
  try {
    return await componentize(options);
  } catch (error) {
    const [, thrown] = (error as Error).message.split("module evaluation: ");
    if (thrown === undefined) {
      throw error;
    }
    const [first = "", ...frames] = thrown.trim().split("\n");
    const stack = sourceStack({ name: "", message: "", stack: frames.join("\n") }, bundle.places);
    const lines = stack === "" ? [] : stack.split("\n").map((frame) => `    ${frame}`);
    throw new BuildError([`error: the program failed while the component was built: ${first}`, ...lines].join("\n"));
  }
}

/** A world with what the program imports and nothing else: an import that the host does not grant would be refused. */
function world(imports: readonly string[]): string {
  const lines = imports.map((name) => `  import ${name};`);
  return ["package tenon:guest;", "world guest {", ...lines, "  export tenon:handler/handler@0.1.0;", "}"].join("\n");
}
