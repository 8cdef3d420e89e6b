import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";

/** Removes a unix socket's file where no process listens on it any more (its owner was killed). */
export async function removeStaleSocket(path: string): Promise<void> {
  // Linux refuses a connection to any other kind of file as well: those are not ours to remove.
  const isRefused = (await connectError(path)) === "ECONNREFUSED";
  if (isRefused && (await lstat(path)).isSocket()) await unlink(path);
}

function connectError(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.on("connect", () => {
      resolve(undefined);
      socket.destroy();
    });
  });
}
