#!/usr/bin/env node
// This file must still be read by an old Node, so that it can say what is wrong: it imports nothing
// until the version is known to do.
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  process.stderr.write(
    `understudy needs Node 24 or newer; this is ${process.versions.node} (${process.execPath})\n`,
  );
  process.exitCode = 2;
} else {
  // Sent at any time it would open Node's debugger, which lets every local user in.
  process.on("SIGUSR1", () => {});
  // Compiled code is kept beside the program, where only those who may change it can write: commands
  // and workers start in half the time. Where nothing can be written there, nothing is.
  const { enableCompileCache } = await import("node:module");
  enableCompileCache(`${import.meta.dirname}/../node_modules/.cache/understudy`);
  if (process.argv[2] === "worker" && process.connected) {
    const { runWorker } = await import("./process/worker.ts");
    runWorker();
  } else {
    const { runProgram } = await import("./cli/program.ts");
    process.exitCode = await runProgram(process.argv.slice(2), process.env);
  }
}
