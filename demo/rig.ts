import { EventEmitter } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AccessLines } from "./access-lines.ts";
import type { App, Pool } from "./app-process.ts";
import { startApp } from "./app-process.ts";
import type { Child } from "./child.ts";
import type { LoggedEvent } from "./gateway-event.ts";
import { readEvent } from "./gateway-event.ts";
import { accessLogIn, startGateway } from "./gateway-process.ts";

/** Two apps and the gateway before them, each a process. */
export interface Rig {
  readonly port: number;
  readonly apps: Readonly<Record<Pool, App>>;
  /** What the gateway tells in its event log: under its name, and all under `any`. */
  readonly events: EventEmitter<EventMap>;
  readonly log: AccessLines;
  readonly gateway: Child;
  /** The gateway first, so that its log is complete; then the apps. */
  stop(): Promise<void>;
  /** Removes what is left on disk. */
  cleanUp(): Promise<void>;
}

export type EventMap = Record<LoggedEvent["event"] | "any", [LoggedEvent]>;

// Below the range from which systems take ports for outgoing connections: a dead app's port
// must still be free when it comes back.
const BLUE_PORTS = portsFrom(3001);
const GREEN_PORTS = portsFrom(3002);
const GATEWAY_PORTS = [8080, 0];

/** Leaves nothing behind where it fails. */
export async function startRig(): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "understudy-demo-"));
  await using started = new AsyncDisposableStack();
  const cleanUp = () => rm(folder, { recursive: true, force: true });
  started.defer(cleanUp);
  const blue = await startApp("blue", "v1", BLUE_PORTS);
  started.defer(() => blue.end());
  const green = await startApp("green", "v2", GREEN_PORTS);
  started.defer(() => green.end());

  const events = new EventEmitter<EventMap>();
  const gateway = await startGateway(GATEWAY_PORTS, [blue, green], folder, (line) => {
    const event = readEvent(line);
    if (event === undefined) return;
    events.emit(event.event, event);
    events.emit("any", event);
  });
  started.move();
  return {
    port: portOf(gateway),
    apps: { blue, green },
    events,
    log: new AccessLines(accessLogIn(folder)),
    gateway,
    async stop() {
      await gateway.end("SIGTERM");
      await Promise.all([blue.end(), green.end()]);
    },
    cleanUp,
  };
}

function portsFrom(first: number): readonly number[] {
  return Array.from({ length: 50 }, (_, n) => first + 2 * n);
}

/** `127.0.0.1:8080` -> 8080 */
function portOf({ ready }: Child): number {
  return Number(/:(\d+)$/.exec(ready)?.[1]);
}
