import { expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { ask } from "../support/raw-client.ts";
import { type ScriptedServer, startScriptedServer } from "../support/scripted-server.ts";
import { OK, RESET } from "../support/server-script.ts";

type Fields = Readonly<Record<string, string>>;

/** So many that no server of three is left without one. */
const NAMES = Array.from({ length: 40 }, (_, at) => `name ${at}`);

async function startThree(): Promise<readonly ScriptedServer[]> {
  return await Promise.all(["one", "two", "three"].map(async (name) => await startNamed(name)));
}

async function startNamed(name: string): Promise<ScriptedServer> {
  return await startScriptedServer([OK], { name });
}

/** The names of the servers that answer requests with these fields, one after the other. */
async function namesOf(gateway: TestGateway, requests: readonly Fields[]): Promise<string[]> {
  const names: string[] = [];
  for (const fields of requests) {
    const answer = await ask(gateway, { fields });
    names.push(answer?.body.split(" ")[0] ?? "none");
  }
  return names;
}

test("requests with one value of the header meet one server, and other values meet others", async () => {
  await using servers = new AsyncDisposableStack();
  const blue = (await startThree()).map((server) => servers.use(server));
  await using gateway = await startTestGateway({
    pools: { blue },
    group: { affinity: "header X-Tenant" },
  });

  const first = await namesOf(gateway, tenants(NAMES));
  const second = await namesOf(gateway, tenants(NAMES));

  expect(second).toEqual(first);
  expect(new Set(first)).toEqual(new Set(["one", "two", "three"]));
});

test("requests without the header are balanced as without affinity", async () => {
  await using servers = new AsyncDisposableStack();
  const blue = (await startThree()).map((server) => servers.use(server));
  await using gateway = await startTestGateway({
    pools: { blue },
    group: { affinity: "header X-Tenant" },
  });

  const names = await namesOf(gateway, [{}, {}, { "X-Tenant": "" }]);

  expect(names).toEqual(["one", "two", "three"]);
});

test("a tenant whose server fails is answered by another one of its pool", async () => {
  await using broken = await startScriptedServer([RESET], { name: "broken", openAtEnd: "close" });
  await using sound = await startNamed("sound");
  await using gateway = await startTestGateway({
    pools: { blue: [broken, sound] },
    group: { affinity: "header X-Tenant" },
  });

  const names = await namesOf(gateway, tenants(NAMES));

  expect(new Set(names)).toEqual(new Set(["sound"]));
});

test("one address meets one server, whatever it says of itself", async () => {
  await using servers = new AsyncDisposableStack();
  const blue = (await startThree()).map((server) => servers.use(server));
  await using gateway = await startTestGateway({ pools: { blue }, group: { affinity: "ip" } });

  const names = await namesOf(gateway, forwarded(["192.0.2.1", "192.0.2.2", "192.0.2.3"]));

  expect(new Set(names).size).toBe(1);
});

test("behind trusted proxies it is the address that the outermost of them saw", async () => {
  await using servers = new AsyncDisposableStack();
  const blue = (await startThree()).map((server) => servers.use(server));
  await using gateway = await startTestGateway({
    pools: { blue },
    group: { affinity: "ip" },
    top: { trusted_proxies: ["127.0.0.1", "10.0.0.0/8"] },
  });
  const clients = NAMES.map((_, at) => `192.0.2.${at}`);

  const direct = await namesOf(gateway, forwarded(clients));
  const far = await namesOf(gateway, forwarded(clients.map((one) => `forged, ${one}, 10.0.0.7`)));
  const onlyProxies = await namesOf(gateway, forwarded(["10.1.1.1, 10.0.0.7", "10.1.1.1"]));

  expect(far).toEqual(direct);
  expect(new Set(direct)).toEqual(new Set(["one", "two", "three"]));
  expect(new Set(onlyProxies).size).toBe(1);
});

function tenants(names: readonly string[]): readonly Fields[] {
  return names.map((name) => ({ "X-Tenant": name }));
}

function forwarded(lists: readonly string[]): readonly Fields[] {
  return lists.map((list) => ({ "X-Forwarded-For": list }));
}
