import { expect, test } from "vitest";
import { behave, CHAOS_STORIES, misbehave } from "../support/chaos-client.ts";
import { type ChaosServer, startChaosServer } from "../support/chaos-server.ts";
import { type GatewayProgram, startGatewayProgram } from "../support/gateway-program.ts";
import { type Inspector, openInspector } from "../support/inspector.ts";
import { openSockets, residentBytes } from "../support/process-facts.ts";
import { Random } from "../support/random.ts";
import { ask } from "../support/raw-client.ts";
import { until } from "../support/until.ts";

const seed = Number(process.env["CHAOS_SEED"] ?? Math.floor(Math.random() * 1e9));
const CLIENTS = 40;
const ABORTS = 5_000;
/** What the second half may leave on the heap, and in the process as a whole. */
const HEAP_BYTES = 3_000_000;
const RESIDENT_BYTES = 40_000_000;
/** How long connections may take to close after the load, in milliseconds. */
const CLOSING_MS = 10_000;

test(`10,000 clients that leave and servers that break leave no trace (seed ${seed})`, async () => {
  const random = new Random(seed);
  await using blue = await startChaosServer(random);
  await using green = await startChaosServer(random);
  await using gateway = await startGateway(blue, green);
  using inspector = await inspect(gateway);
  const sockets = openSockets(gateway.program.pid);

  const first = await loadOf(gateway, random, ABORTS);
  const middle = await settled(gateway, inspector, sockets);
  const second = await loadOf(gateway, random, ABORTS);
  const end = await settled(gateway, inspector, sockets);

  expect(end.heapBytes - middle.heapBytes).toBeLessThan(HEAP_BYTES);
  expect(end.residentBytes - middle.residentBytes).toBeLessThan(RESIDENT_BYTES);
  expect([first.unanswered, second.unanswered]).toEqual([0, 0]);
  expect([...first.hung, ...second.hung]).toEqual([]);
  expect(first.stories).toEqual(new Set(CHAOS_STORIES));
  expect((await ask(gateway, { path: "/calm/ok" }))?.status).toBe(200);
  inspector[Symbol.dispose]();
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  expect(strayLines(gateway)).toEqual([]);
  expectEverythingSeen(gateway);
});

async function startGateway(blue: ChaosServer, green: ChaosServer): Promise<GatewayProgram> {
  const group = (path: string, max_fails: number): object => ({
    routes: [{ path }],
    pools: {
      blue: { url: blue.url, max_fails, fail_timeout: "100ms" },
      green: { url: green.url, max_fails, fail_timeout: "100ms" },
    },
    timeouts: { connect: "500ms", send: "500ms", read: "300ms" },
    keepalive: { idle: "500ms" },
    replay: { memory: "10k" },
  });
  return await startGatewayProgram({
    groups: { calm: group("/calm", 0), nervous: group("/nervous", 1) },
    config: {
      // What is looked into is the process that serves.
      workers: 0,
      limits: {
        connections: 1_000,
        head_time: "1s",
        body_idle: "1s",
        send_idle: "2s",
        idle: "1s",
        body: "100k",
      },
    },
    nodeFlags: ["--inspect=127.0.0.1:0"],
  });
}

async function inspect({ program }: GatewayProgram): Promise<Inspector> {
  const told = await program.says(/^Debugger listening on (\S+)$/m, "stderr");
  return await openInspector(told[1] ?? "");
}

interface Load {
  readonly stories: Set<string>;
  /** The stories whose connection never ended. */
  readonly hung: string[];
  /** Clients that stayed and got neither an answer nor an end. */
  unanswered: number;
}

/** So many clients that leave, and among them some that stay. */
async function loadOf({ port }: GatewayProgram, random: Random, aborts: number): Promise<Load> {
  const load: Load = { stories: new Set(), hung: [], unanswered: 0 };
  let left = aborts;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const { story, isOver } = await misbehave(port, random);
      load.stories.add(story);
      if (!isOver) load.hung.push(story);
      if (random.chance(0.1) && !(await behave(port, random))) load.unanswered += 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return load;
}

interface Facts {
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** How things stand once no more than `sockets` are open: a check of a server may open one later. */
async function settled(
  { program }: GatewayProgram,
  inspector: Inspector,
  sockets: number,
): Promise<Facts> {
  const { pid } = program;
  expect(program.isOver, program.stderr.slice(-2_000)).toBe(false);
  await until(() => openSockets(pid) <= sockets, `${sockets} sockets open`, CLOSING_MS);
  return { heapBytes: await inspector.heapBytes(), residentBytes: residentBytes(pid) };
}

/** What stands on stderr beside events and the inspector's own words: an exception would. */
function strayLines({ program }: GatewayProgram): readonly string[] {
  return program.stderr
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("{") && !/debugg/i.test(line));
}

/** Each way in which an exchange can end, and an attempt can fail, was among them. */
function expectEverythingSeen({ accessLog }: GatewayProgram): void {
  const statuses = new Set(accessLog.map(({ status }) => status));
  expect([...statuses]).toEqual(
    expect.arrayContaining([101, 200, 400, 408, 413, 499, 502, 503, 504]),
  );
  const causes = new Set(accessLog.flatMap(({ attempts }) => attempts?.map(({ cause }) => cause)));
  expect([...causes]).toEqual(
    expect.arrayContaining([
      "aborted",
      "closed",
      "malformed",
      "reset",
      "status",
      "timeout",
      "truncated",
    ]),
  );
}
