// Builds the package into `dist` and `wit`: its modules, the interfaces of a component, and the store of tests, which needs cargo.

import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const workspace = join(here, "../..");
const run = (program, ...parameters) => execFileSync(program, parameters, { cwd: here, stdio: "inherit" });

rmSync(join(here, "dist"), { recursive: true, force: true });
rmSync(join(here, "wit"), { recursive: true, force: true });
run(join(here, "node_modules/.bin/tsc"));
copyFileSync(join(here, "src/globals.d.ts"), join(here, "dist/globals.d.ts"));
for (const command of ["component-command", "test-command"]) {
  chmodSync(join(here, `dist/build/${command}.js`), 0o755);
}

cpSync(join(workspace, "wit"), join(here, "wit/handler"), { recursive: true });
for (const [name, text] of Object.entries({
  random: "interface random { get-random-bytes: func(len: u64) -> list<u8>; }",
  cli: "interface environment { get-environment: func() -> list<tuple<string, string>>; }",
})) {
  mkdirSync(join(here, "wit", name));
  writeFileSync(join(here, `wit/${name}/${name}.wit`), `package wasi:${name}@0.2.12;\n${text}\n`);
}

// Folders of this machine would be in messages of panics, so that the store would be another one in another folder.
const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
const registries = join(cargoHome, "registry/src");
const places = [
  [cargoHome, "/cargo"],
  ...(existsSync(registries) ? readdirSync(registries).sort() : []).map((name) => [join(registries, name), "/registry"]),
  [process.env.RUSTUP_HOME ?? join(homedir(), ".rustup"), "/rustup"],
  [workspace, "/tenon"],
];
// The last one that matches applies.
process.env.CARGO_ENCODED_RUSTFLAGS = places.map(([from, to]) => `--remap-path-prefix=${from}=${to}`).join("\x1f");

// The profile of guests, but small rather than fast. A module of its own, without the types of a component.
const target = join(process.env.CARGO_TARGET_DIR ?? join(workspace, "target"), "javascript-rules");
run(
  "cargo", "rustc", "--locked", "--package", "storage-rules", "--lib", "--crate-type", "cdylib", "--profile", "guest",
  "--config", 'profile.guest.opt-level="z"', "--target", "wasm32-wasip2", "--target-dir", target,
  "--", "-C", "link-arg=--skip-wit-component",
);
copyFileSync(join(target, "wasm32-wasip2/guest/storage_rules.wasm"), join(here, "dist/rules.wasm"));
