import { unlink } from "node:fs/promises";
import { connect } from "node:net";

/** Removes a unix socket's file where no process listens on it any more (its owner was killed). */
export async function removeStaleSocket(path: string): Promise<void> {
  if ((await connectError(path)) === "ECONNREFUSED") await unlink(path);
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
