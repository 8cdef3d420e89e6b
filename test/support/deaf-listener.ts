import { createServer } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

// Runs as a thread of its own: it listens, tells its port, and never turns its event loop again.
const server = createServer().listen({ ...workerData, backlog: 1 }, () => {
  const address = server.address();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(typeof address === "string" ? 0 : address?.port);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
