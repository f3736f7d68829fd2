/** The program as one module, with the places of its sources. */

import { join, relative, resolve, sep } from "node:path";
import { type Message, type Plugin, build, formatMessages } from "esbuild";
import type { Places } from "../runtime/stack.js";
import { BuildError, PACKAGE } from "./command.js";
import { compactPlaces } from "./places.js";

export interface Bundle {
  code: string;
  /** The interfaces that the program imports. */
  imports: string[];
  /** The places of the sources in the code. */
  places: Places;
}

/** Bundles an application for QuickJS. */
export async function bundleComponent(entry: string): Promise<Bundle> {
  const { outputFiles, metafile } = await run({
    stdin: {
      contents: [
        `import { serve } from "@tenon/sdk/component";`,
        // As a namespace, because a module without a default export would be an error that names this text.
        `import * as program from ${JSON.stringify(resolve(entry))};`,
        `export const handler = serve(program["default"], ${JSON.stringify(entry)});`,
      ].join("\n"),
      resolveDir: process.cwd(),
      sourcefile: "<runtime>",
    },
    external: ["tenon:*", "wasi:*"],
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import"],
    target: "es2023",
    // The engine runs no jobs by itself; see `runtime/promise.ts`.
    supported: { "async-await": false, "async-generator": false, "for-await": false, "top-level-await": false },
    plugins: [ownPackage],
  });
  const code = outputFiles.find(({ path }) => path.endsWith(".js"))?.text ?? "";
  const map = outputFiles.find(({ path }) => path.endsWith(".map"))?.text ?? "";
  const imports = Object.values(metafile.outputs).flatMap((output) =>
    output.imports.filter(({ external }) => external === true).map(({ path }) => path),
  );
  const places = compactPlaces(JSON.parse(map) as { sources: string[]; mappings: string }, rename);
  const portable = withPortablePaths(code, Object.keys(metafile.inputs));
  return {
    code: `${portable}\nglobalThis.__tenonPlaces = ${JSON.stringify(places)};\n`,
    imports: [...new Set(imports)].sort(),
    places,
  };
}

/**
 * The code with the names of modules as stacks have them. Where the project and this package lie is otherwise part of a component, so that it
 * would be another one in another folder.
 */
function withPortablePaths(code: string, inputs: readonly string[]): string {
  const names = new Map(inputs.map((input) => [input, rename(encodeURI(join("..", input)))]));
  return code.replace(/^(\/\/ |  ")(.+?)((?:"\(.*)?)$/gm, (line: string, before: string, path: string, after: string) => {
    const name = names.get(path);
    return name === undefined || (before === "// ") !== (after === "") ? line : `${before}${name}${after}`;
  });
}

/** The imports of a component in tests, by the names of their interfaces. */
const HOST = /^(?:tenon:handler|wasi:[a-z]+)\/([a-z]+)@/;

/** Bundles tests for Node into a folder; returns the paths of the modules. */
export async function bundleTests(files: readonly string[], folder: string): Promise<string[]> {
  const host: Plugin = {
    name: "host",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: HOST }, ({ path }) => ({ path, namespace: "host" }));
      onLoad({ filter: /.*/, namespace: "host" }, ({ path }) => ({
        contents: `export { ${HOST.exec(path)?.[1] ?? ""} as default } from "./dist/test/host.js";`,
        resolveDir: PACKAGE,
      }));
    },
  };
  const { metafile } = await run({
    entryPoints: [...files],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    write: true,
    sourcemap: "inline",
    platform: "node",
    target: "node20",
    inject: [resolve(PACKAGE, "dist/test/report.js")],
    define: { TENON_RULES: JSON.stringify(resolve(PACKAGE, "dist/rules.wasm")) },
    plugins: [ownPackage, host],
  });
  return Object.entries(metafile.outputs)
    .filter(([, { entryPoint }]) => entryPoint !== undefined)
    .map(([path]) => path);
}

/** This package by its name, wherever the program lies. */
const ownPackage: Plugin = {
  name: "own package",
  setup({ onResolve }) {
    onResolve({ filter: /^@tenon\/sdk(\/|$)/ }, ({ path }) => {
      const name = path.slice("@tenon/sdk".length).replace(/^\//, "");
      return { path: resolve(PACKAGE, "dist", `${name === "" ? "index" : name}.js`) };
    });
  },
};

type Options = Parameters<typeof build>[0];

async function run(options: Options) {
  try {
    return await build({
      bundle: true,
      keepNames: true,
      charset: "utf8",
      format: "esm",
      logLevel: "silent",
      metafile: true,
      outdir: "out",
      sourcemap: "external",
      sourcesContent: false,
      write: false,
      ...options,
    } as Options & { metafile: true; write: false });
  } catch (error) {
    const { errors } = error as { errors?: Message[] };
    if (errors === undefined) {
      throw error;
    }
    const texts = await formatMessages(errors, { kind: "error", color: process.stderr.isTTY });
    throw new BuildError(texts.join("").trimEnd());
  }
}

/** How a stack names a source: by its path in the project, or by its package. */
function rename(encoded: string): string {
  const source = decodeURI(encoded);
  const path = relative(process.cwd(), resolve("out", source));
  const own = relative(PACKAGE, resolve(path));
  if (own.startsWith(`dist${sep}`)) {
    return `@tenon/sdk/${own.split(sep).join("/")}`;
  }
  const at = path.lastIndexOf("node_modules/");
  return source.includes("<runtime>") ? "<runtime>" : at < 0 ? path : path.slice(at + "node_modules/".length);
}
