import { type Clock, systemClock } from "../../src/clock.ts";
import type { Address } from "../../src/config/config.ts";
import { hashOfToken } from "../../src/config/token-file.ts";
import { type AdminServer, startAdminServer } from "../../src/control/admin-server.ts";
import type { GroupSpec } from "../../src/failover/spec.ts";
import { CountingClock } from "./counting-clock.ts";
import { openSockets } from "./process-facts.ts";
import {
  ask,
  connectRaw,
  type RawConnection,
  requestText,
  type RequestText,
} from "./raw-client.ts";
import { TestControl } from "./test-control.ts";
import { isTrueWithin } from "./waits.ts";

export interface AdminSetup {
  readonly clock?: Clock;
  readonly groups?: readonly GroupSpec[];
  readonly address?: Address;
  readonly token?: string;
}

const LOOPBACK: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };
/** How long the server may take to stop, and its sockets to close, in milliseconds. */
const STOPPING_MS = 3_000;

/** Starts an admin server in this process, on a free port, for a control without a gateway. */
export async function startTestAdmin(setup: AdminSetup = {}): Promise<TestAdmin> {
  const before = openSockets(process.pid);
  const clock = new CountingClock(setup.clock ?? systemClock);
  const control = new TestControl(clock, setup.groups);
  const errors: Error[] = [];
  const server = await startAdminServer(setup.address ?? LOOPBACK, control, {
    clock,
    version: "1.2.3",
    tokenHash: () => setup.token && hashOfToken(setup.token),
    onError: (error) => errors.push(error),
  });
  return new TestAdmin(server, { control, clock, errors, socketsBefore: before });
}

interface Around {
  readonly control: TestControl;
  readonly clock: CountingClock;
  readonly errors: readonly Error[];
  readonly socketsBefore: number;
}

export class TestAdmin implements AsyncDisposable {
  readonly address: string;
  readonly port: number;
  readonly control: TestControl;
  /** What went wrong inside. */
  readonly errors: readonly Error[];
  readonly #server: AdminServer;
  readonly #around: Around;

  constructor(server: AdminServer, around: Around) {
    this.#server = server;
    this.#around = around;
    this.control = around.control;
    this.errors = around.errors;
    this.address = server.address;
    this.port = Number(server.address.slice(server.address.lastIndexOf(":") + 1));
  }

  /** The answer's status and its body, as data where it is JSON. */
  async ask(path: string, request: RequestText = {}): Promise<readonly [number, unknown]> {
    const answer = await ask(this, local({ path, ...request }));
    if (answer === undefined) throw new Error(`no answer to ${path}`);
    const isJson = answer.fields.get("content-type")?.endsWith("json") === true;
    const body: unknown = isJson ? JSON.parse(answer.body) : answer.body;
    return [answer.status, body];
  }

  async post(path: string, body?: unknown): Promise<readonly [number, unknown]> {
    const text = body === undefined ? "" : JSON.stringify(body);
    return await this.ask(path, { method: "POST", body: text });
  }

  /** A connection whose event stream has begun. */
  async follow(): Promise<RawConnection> {
    const client = await connectRaw(this);
    client.send(requestText(local({ path: "/api/v1/events" })));
    await client.until(": events from now on\n\n");
    return client;
  }

  /** One whose stream begins in the past. */
  async followFrom(
    query: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<RawConnection> {
    const client = await connectRaw(this);
    client.send(requestText(local({ path: `/api/v1/events${query}`, fields })));
    await client.until("\r\n\r\n");
    return client;
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, control, socketsBefore } = this.#around;
    let hasStopped = false;
    const stopped = this.#server.stop().then(() => (hasStopped = true));
    if (!(await isTrueWithin(STOPPING_MS, () => hasStopped))) {
      throw new Error("the admin server does not stop");
    }
    await stopped;
    const left = (): number => openSockets(process.pid) - socketsBefore;
    if (!(await isTrueWithin(STOPPING_MS, () => left() <= 0))) {
      throw new Error(`${left()} sockets were left open`);
    }
    if (clock.pending > 0) throw new Error(`${clock.pending} timers were left`);
    if (control.listeners > 0) throw new Error("it still listens to events");
  }
}

/** A request with the Host that the admin API takes. */
export function local(request: RequestText): RequestText {
  return { ...request, fields: { Host: "localhost", ...request.fields } };
}
