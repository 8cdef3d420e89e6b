import { describe, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { type Answer, ask, connectRaw, requestText } from "../support/raw-client.ts";
import { type ScriptedServer, startScriptedServer } from "../support/scripted-server.ts";
import { answer, type Behaviour, ECHO, OK, RESET } from "../support/server-script.ts";

type Fields = Readonly<Record<string, string>>;

const COOKIE = /^(understudy_app=\w+\.[\w-]{22}); Path=\/; HttpOnly; SameSite=Lax$/;
const DRAIN_MS = 300_000;

interface Cast extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly servers: Readonly<Record<string, ScriptedServer>>;
}

/** A gateway in front of blue1, blue2 and green1, with a behaviour where it is not to be OK. */
async function startCast(
  scripts: Readonly<Record<string, readonly Behaviour[]>> = {},
  setup: { readonly group?: object; readonly top?: object; readonly clock?: ManualClock } = {},
): Promise<Cast> {
  const stack = new AsyncDisposableStack();
  const start = async (name: string): Promise<ScriptedServer> => {
    const script = scripts[name] ?? [OK];
    return stack.use(await startScriptedServer(script, { name, openAtEnd: "close" }));
  };
  const [blue1, blue2, green1] = [
    await start("blue1"),
    await start("blue2"),
    await start("green1"),
  ];
  const gateway = await startTestGateway({
    pools: { blue: [blue1, blue2], green: [green1] },
    ...setup,
    group: { affinity: "cookie", ...setup.group },
  });
  stack.use(gateway);
  const servers = { blue1, blue2, green1 };
  return { gateway, servers, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}

async function get({ gateway }: Cast, fields: Fields = {}): Promise<Answer> {
  const answer = await ask(gateway, { fields });
  if (answer === undefined) throw new Error("no answer");
  return answer;
}

/** Asks with a cookie, so many times: who answered, and whether the client was bound anew. */
async function tell(cast: Cast, cookie: string, times = 1): Promise<readonly string[]> {
  const told: string[] = [];
  for (let n = 0; n < times; n++) {
    const answer = await get(cast, cookie === "" ? {} : { Cookie: cookie });
    const name = answer.body.split(" ")[0] ?? "";
    told.push(answer.fields.has("set-cookie") ? `${name} anew` : name);
  }
  return told;
}

/** The cookie of a client that comes for the first time, as it sends it back. */
async function newCookie(cast: Cast): Promise<string> {
  return cookieIn(await get(cast));
}

function cookieIn({ fields }: Answer): string {
  const cookie = COOKIE.exec(fields.get("set-cookie") ?? "")?.[1];
  if (cookie === undefined) throw new Error(`no cookie in ${fields.get("set-cookie")}`);
  return cookie;
}

function outcomes({ gateway }: Cast): readonly (string | undefined)[] {
  return gateway.exchanges.map(({ affinity }) => affinity);
}

test("a client that brings its cookie back stays with one server and gets no new one", async () => {
  await using cast = await startCast();
  const first = await newCookie(cast);
  const second = await newCookie(cast);

  const told = [await tell(cast, first, 4), await tell(cast, second, 4)];

  expect(told).toEqual([Array(4).fill("blue1"), Array(4).fill("blue2")]);
  expect(outcomes(cast)).toEqual(["new", "new", ...Array(8).fill("bound")]);
});

test("without affinity the same client meets both servers", async () => {
  await using cast = await startCast({}, { group: { affinity: "none" } });

  const told = await tell(cast, "understudy_app=blue.0123456789012345678901", 4);

  expect(told).toEqual(["blue1", "blue2", "blue1", "blue2"]);
  expect(outcomes(cast)).toEqual(Array(4).fill(undefined));
});

test("the cookie tells nothing of where its server is", async () => {
  await using cast = await startCast();

  const cookie = await newCookie(cast);

  expect(cookie).toMatch(/^understudy_app=blue\.[\w-]{22}$/);
  expect(cookie).not.toContain(String(cast.servers["blue1"]?.port));
});

describe("a cookie is ignored and replaced where it", () => {
  test.each<[string, (real: string) => string]>([
    ["is empty", () => "understudy_app="],
    ["is nonsense", () => "understudy_app=\u00e4%00\\x"],
    ["names a server in the clear", () => "understudy_app=blue.1"],
    ["lacks its last letter", (real) => real.slice(0, -1)],
    ["has a letter more", (real) => `${real}A`],
    ["has another letter", (real) => real.replace(/.$/, (last) => (last === "A" ? "B" : "A"))],
    ["has another case", (real) => real.replace(/\.(.*)$/, (tag) => swapCase(tag))],
    ["names another pool", (real) => real.replace("blue", "green")],
    ["names no pool", (real) => real.replace("blue", "")],
    ["is in quotes", (real) => real.replace(/=(.*)$/, '="$1"')],
    ["is of another name", (real) => real.replace("_app", "_shop")],
    ["stands in another cookie's value", (real) => `a=${real}`],
  ])("%s", async (_, forge) => {
    await using cast = await startCast();
    const real = await newCookie(cast);

    const told = await tell(cast, forge(real));

    expect(told).toEqual(["blue2 anew"]);
    expect(outcomes(cast).at(-1)).toBe("new");
  });

  test("was given by another group, with the same secret, for the same server", async () => {
    await using blue = await startScriptedServer([OK]);
    const affinity = { kind: "cookie", name: "c", secret: "0123456789abcdef" };
    const pools = { blue: `http://127.0.0.1:${blue.port}` };
    const other = { routes: [{ path: "/other" }], pools, affinity };
    await using gateway = await startTestGateway({
      pools: { blue: [blue] },
      group: { affinity },
      others: { other },
    });
    const setCookie = async (path: string, cookie: string) =>
      (await ask(gateway, { path, fields: { Cookie: cookie } }))?.fields.get("set-cookie");
    const ofApp = (await setCookie("/", ""))?.split(";", 1)[0] ?? "";
    const ofOther = (await setCookie("/other", ""))?.split(";", 1)[0] ?? "";

    expect([await setCookie("/", ofApp), await setCookie("/other", ofOther)]).toEqual([
      undefined,
      undefined,
    ]);
    expect(await setCookie("/", ofOther)).toContain(ofApp);
    expect(await setCookie("/other", ofApp)).toContain(ofOther);
  });
});

test("of several cookies of its name the one that is real counts", async () => {
  await using cast = await startCast();
  const real = await newCookie(cast);

  expect(await tell(cast, `understudy_app=x; ${real}; understudy_app=`, 2)).toEqual([
    "blue1",
    "blue1",
  ]);
});

test("servers get the other cookies byte for byte, and never the gateway's", async () => {
  await using cast = await startCast();
  const real = await newCookie(cast);

  await get(cast, { Cookie: `a="1, 2";  ${real};b=\u00e4==; understudy_app=forged;C` });
  await get(cast, { Cookie: real });
  await get(cast, { Cookie: "a=1;;b" });

  const arrivals = Object.values(cast.servers).flatMap((server) => server.arrivals);
  const cookies = arrivals.map(({ fields }) => fields.get("cookie"));
  expect(cookies.filter((cookie) => cookie !== undefined).toSorted()).toEqual([
    'a="1, 2";b=\u00e4==;C',
    "a=1;;b",
  ]);
});

describe("a cookie is for https only where a trusted proxy says that the client came by it", () => {
  test.each<[readonly string[], string, string]>([
    [["127.0.0.1"], "https", "; SameSite=Lax; Secure"],
    [["127.0.0.1"], "HTTPS, http", "; SameSite=Lax; Secure"],
    [["127.0.0.1"], "http", "; SameSite=Lax"],
    [[], "https", "; SameSite=Lax"],
  ])("trusted %j, told %s", async (trusted, protocol, end) => {
    await using cast = await startCast({}, { top: { trusted_proxies: trusted } });

    const { fields } = await get(cast, { "X-Forwarded-Proto": protocol });

    expect(fields.get("set-cookie")?.endsWith(end)).toBe(true);
  });
});

test("with a secret, a cookie outlives the gateway; without, it does not", async () => {
  await using blue1 = await startScriptedServer([OK], { name: "blue1" });
  await using blue2 = await startScriptedServer([OK], { name: "blue2" });
  const isBoundAnew = async (affinity: object | string): Promise<boolean | undefined> => {
    const setup = { pools: { blue: [blue1, blue2] }, group: { affinity } };
    await using first = await startTestGateway(setup);
    const [cookie = ""] = ((await ask(first))?.fields.get("set-cookie") ?? "").split(";");
    await using second = await startTestGateway(setup);
    return (await ask(second, { fields: { Cookie: cookie } }))?.fields.has("set-cookie");
  };

  expect(await isBoundAnew({ kind: "cookie", secret: "0123456789abcdef" })).toBe(false);
  expect(await isBoundAnew("cookie")).toBe(true);
});

test("a client whose server fails is answered by another one and stays there", async () => {
  await using cast = await startCast({ blue1: [OK, RESET] });
  const cookie = await newCookie(cast);

  const answer = await get(cast, { Cookie: cookie });
  const moved = await tell(cast, cookieIn(answer), 2);

  expect([answer.body, moved]).toEqual(["blue2 answered 200\n", ["blue2", "blue2"]]);
  expect(outcomes(cast)).toEqual(["new", "lost", "bound", "bound"]);
});

test("an answer that is a failure binds nobody", async () => {
  await using cast = await startCast({ blue1: [answer(500)] });

  expect(await tell(cast, "")).toEqual(["blue1"]);
  expect(outcomes(cast)).toEqual([undefined]);
});

test("a full server still takes those that are bound to it, and no others", async () => {
  await using blue1 = await startScriptedServer([OK, { does: "hold", status: 200 }, OK], {
    name: "blue1",
    openAtEnd: "close",
  });
  await using blue2 = await startScriptedServer([OK], { name: "blue2", openAtEnd: "close" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue1, blue2] },
    group: { affinity: "cookie" },
    server: { max_conns: 1 },
  });
  await using holding = await connectRaw(gateway);
  const [cookie = ""] = ((await ask(gateway))?.fields.get("set-cookie") ?? "").split(";");
  holding.send(requestText({ path: "/held", fields: { Cookie: cookie } }));
  await blue1.received("/held");

  const free = [await ask(gateway), await ask(gateway)];
  const bound = await ask(gateway, { fields: { Cookie: cookie } });
  blue1.release();
  await holding.answer();

  expect(free.map((one) => one?.body)).toEqual(Array(2).fill("blue2 answered 200\n"));
  expect(bound?.body).toBe("blue1 answered 200\n");
});

test("after a switch, those bound to the old pool stay until its drain ends", async () => {
  const clock = new ManualClock();
  await using cast = await startCast({}, { clock });
  const ends = async <T>(promise: Promise<T>) => await clock.runUntil(promise);
  const cookie = await ends(newCookie(cast));
  cast.gateway.switchTo("green");

  const told = [await ends(tell(cast, cookie, 2)), await ends(tell(cast, "", 2))];
  await clock.advance(DRAIN_MS);
  told.push(await ends(tell(cast, cookie, 2)));

  expect(told).toEqual([
    ["blue1", "blue1"],
    ["green1 anew", "green1 anew"],
    ["green1 anew", "green1 anew"],
  ]);
  expect(outcomes(cast).at(-1)).toBe("lost");
});

test("a failback leaves those that the backup took on where they are", async () => {
  const clock = new ManualClock();
  await using cast = await startCast({ blue1: [RESET, OK], blue2: [RESET, OK] }, { clock });
  const ends = async <T>(promise: Promise<T>) => await clock.runUntil(promise);
  const cookie = await ends(newCookie(cast));
  const before = await ends(tell(cast, "", 2));
  while (!cast.gateway.happened.includes("failback green -> blue")) await clock.advance(1000);

  const told = [await ends(tell(cast, cookie, 3)), await ends(tell(cast, ""))];

  expect(before).toEqual(["green1 anew", "green1 anew"]);
  expect(told).toEqual([Array(3).fill("green1"), [expect.stringMatching(/^blue. anew$/)]]);
});

test("a WebSocket is bound by its handshake", async () => {
  await using cast = await startCast({ blue1: [ECHO], blue2: [ECHO] });
  await using client = await connectRaw(cast.gateway);
  const fields = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" };

  client.send(
    requestText({ fields: { ...fields, "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==" } }),
  );
  const head = await client.until("\r\n\r\n");

  expect(head).toMatch(/^HTTP\/1\.1 101 [^]*\r\nSet-Cookie: understudy_app=blue\./);
  client.leave();
});

function swapCase(text: string): string {
  return Array.from(text, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  ).join("");
}
