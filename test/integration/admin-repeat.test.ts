import { describe, expect, test } from "vitest";
import { local, startTestAdmin, type TestAdmin } from "../support/admin.ts";
import { ask } from "../support/raw-client.ts";

const SWITCH = "/api/v1/groups/app/switch";

async function order(admin: TestAdmin, body: object, fields: Readonly<Record<string, string>>) {
  const request = { method: "POST", path: SWITCH, body: JSON.stringify(body), fields };
  const answer = await ask(admin, local(request));
  return { status: answer?.status, body: JSON.parse(answer?.body ?? "") };
}

describe("an order with an Idempotency-Key", () => {
  const key = { "Idempotency-Key": "deploy-42" };

  test("that comes twice is carried out once, and both get the same answer", async () => {
    await using admin = await startTestAdmin();
    let calls = 0;
    admin.control.decide = async () => ({ ok: true, lines: [`call ${(calls += 1)}`] });

    const both = await Promise.all([
      order(admin, { to: "green" }, key),
      order(admin, { to: "green" }, key),
    ]);
    const later = await order(admin, { to: "green" }, key);
    const without = await order(admin, { to: "green" }, {});

    expect([...both, later].map(({ body }) => body)).toEqual([
      { lines: ["call 1"] },
      { lines: ["call 1"] },
      { lines: ["call 1"] },
    ]);
    expect(without.body).toEqual({ lines: ["call 2"] });
  });

  test("that came with another request is refused", async () => {
    await using admin = await startTestAdmin();

    await order(admin, { to: "green" }, key);
    const other = await order(admin, { to: "blue" }, key);

    expect([other.status, other.body.code]).toEqual([422, "KEY_REUSED"]);
    expect(admin.control.ordered.length).toBe(1);
  });

  test("that met a bug may come again", async () => {
    await using admin = await startTestAdmin();
    admin.control.decide = () => Promise.reject(new Error("a bug"));
    const first = await order(admin, { to: "green" }, key);
    admin.control.decide = () => ({ ok: true, lines: ["done"] });

    const second = await order(admin, { to: "green" }, key);

    expect([first.status, second.status]).toEqual([500, 200]);
  });
});

test("an order with If-Match is carried out only on the group that its sender has seen", async () => {
  await using admin = await startTestAdmin();
  const seen = await ask(admin, local({ path: "/api/v1/groups/app" }));
  const tag = seen?.fields.get("etag") ?? "";
  const again = await ask(admin, local({ path: "/api/v1/groups/app" }));

  const first = await order(admin, { to: "green" }, { "If-Match": tag });
  const second = await order(admin, { to: "blue" }, { "If-Match": tag });
  const any = await order(admin, { to: "blue" }, { "If-Match": "*" });

  expect(tag).toMatch(/^"[\da-f]{16}"$/);
  expect(again?.fields.get("etag")).toBe(tag);
  expect([first.status, second.status, any.status]).toEqual([200, 412, 200]);
  expect(second.body).toMatchObject({
    code: "CHANGED",
    detail: expect.stringContaining("look again"),
  });
});
