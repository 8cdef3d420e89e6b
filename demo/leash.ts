/**
 * Loaded into every child with `--import`: ends it when the demo is gone, however that happened.
 * Nobody can catch SIGKILL, but the kernel closes the channel. The gateway's workers inherit it, but
 * their channel is the supervisor's.
 */
import { rmSync } from "node:fs";

if (process.argv[2] !== "worker") {
  process.once("disconnect", () => {
    const folder = process.env["UNDERSTUDY_DEMO_FOLDER"];
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    process.exit(1);
  });
  // The channel is no reason to stay: a child that was told to end must be able to.
  process.channel?.unref();
}
