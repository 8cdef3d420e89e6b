import { describe, expect, onTestFinished, test } from "vitest";
import { AdminClient } from "../../src/control/admin-client.ts";
import { local, startTestAdmin } from "../support/admin.ts";
import { startTestGateway } from "../support/gateway.ts";
import { ask } from "../support/raw-client.ts";

const TOKEN = "0123456789abcdef";
const SWITCH = "/api/v1/groups/app/switch";

describe("with a token", () => {
  test.each([
    "/api/v1/groups",
    "/api/v1/status",
    "/api/v1/events",
    "/api/v1/openapi.json",
    "/nowhere",
  ])("%s needs it", async (path) => {
    await using admin = await startTestAdmin({ token: TOKEN });

    const answer = await ask(admin, local({ path }));

    expect([answer?.status, answer?.fields.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(JSON.parse(answer?.body ?? "")).toMatchObject({
      code: "UNAUTHORIZED",
      detail: expect.stringMatching(/^this needs the token of `admin\.token_file`/),
    });
  });

  test("an order without it, or with another one, does nothing", async () => {
    await using admin = await startTestAdmin({ token: TOKEN });
    const order = async (authorization?: string) => {
      const fields = authorization === undefined ? {} : { Authorization: authorization };
      const body = JSON.stringify({ to: "green" });
      return (await admin.ask(SWITCH, { method: "POST", body, fields }))[0];
    };

    expect([
      await order(),
      await order(`Bearer ${TOKEN}x`),
      await order(`Bearer ${TOKEN.slice(1)}`),
      await order(`Basic ${TOKEN}`),
      await order("Bearer"),
      await order(TOKEN),
    ]).toEqual([401, 401, 401, 401, 401, 401]);
    expect(admin.control.ordered).toEqual([]);
    expect(await order(`Bearer ${TOKEN}`)).toBe(200);
    expect(await order(`bearer  ${TOKEN}`)).toBe(200);
  });

  test("a page of another site may order nothing even with it", async () => {
    await using admin = await startTestAdmin({ token: TOKEN });
    const fields = { Authorization: `Bearer ${TOKEN}`, Origin: "https://evil.test" };

    expect((await admin.ask(SWITCH, { method: "POST", body: "{}", fields }))[0]).toBe(403);
  });

  test.each(["/livez", "/readyz", "/health", "/metrics"])("%s does without", async (path) => {
    await using admin = await startTestAdmin({ token: TOKEN });

    expect((await admin.ask(path))[0]).toBe(200);
  });

  test("the details of its health need it", async () => {
    await using admin = await startTestAdmin({ token: TOKEN });
    const fields = { Authorization: `Bearer ${TOKEN}` };

    expect((await admin.ask("/health?detailed"))[0]).toBe(401);
    expect((await admin.ask("/health?detailed", { fields }))[0]).toBe(200);
  });

  test("a client that has it is served, one that has not is told what it needs", async () => {
    await using admin = await startTestAdmin({ token: TOKEN });
    const address = { kind: "tcp", host: "127.0.0.1", port: admin.port } as const;
    const clients = [new AdminClient(address, { token: TOKEN }), new AdminClient(address)];
    onTestFinished(async () => void (await Promise.all(clients.map((client) => client.close()))));

    const [known, unknown] = await Promise.all(clients.map((client) => client.status()));

    expect(known).toMatchObject({ ok: true });
    expect(unknown).toMatchObject({
      kind: "failed",
      problem: expect.stringMatching(/^this needs the token .*--token-file/),
    });
  });
});

test("a token that is written anew counts from the reload on, at the same address", async () => {
  const setup = (token: string) => ({
    top: { admin: { address: "127.0.0.1:0", token_file: "token" } },
    files: { token },
  });
  await using gateway = await startTestGateway(setup(TOKEN));
  const status = async (token: string): Promise<number | undefined> => {
    const fields = { Authorization: `Bearer ${token}` };
    const [, port] = gateway.adminAddress.split(":");
    const answer = await ask({ port: Number(port) }, local({ path: "/api/v1/status", fields }));
    return answer?.status;
  };
  const before = gateway.adminAddress;
  expect([await status(TOKEN), await status("another-long-token")]).toEqual([200, 401]);

  await gateway.reload(setup("another-long-token"));

  expect([await status(TOKEN), await status("another-long-token")]).toEqual([401, 200]);
  expect(gateway.adminAddress).toBe(before);
});
