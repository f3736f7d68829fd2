#!/usr/bin/env node
// Starts the program of the package for this CPU, with the same arguments, signals and exit code.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const name = `@tenon/cli-${process.platform}-${process.arch}`;
let program;
try {
  program = require.resolve(`${name}/host-cli`);
} catch {
  console.error(`error: the package \`${name}\`, which has the program for this machine, is not installed
hint: install without \`--omit=optional\`; there are programs for Linux on x64 and arm64`);
  process.exit(3);
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// A terminal sends these to both programs, and a second SIGINT would end a server at once.
const hasTerminal = [0, 1, 2].some((stream) => require("node:tty").isatty(stream));
for (const signal of ["SIGINT", "SIGHUP"]) {
  process.on(signal, () => hasTerminal || child.kill(signal));
}
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("error", (error) => {
  console.error(`error: failed to start \`${program}\`: ${error.message}`);
  process.exit(3);
});
child.on("exit", (code, signal) => {
  process.exit(code ?? 128 + constants.signals[signal]);
});
