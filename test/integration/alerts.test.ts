import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MessageReceiver, type Posted } from "../support/message-receiver.ts";
import { connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { answer, type Behaviour, OK } from "../support/server-script.ts";
import { isTrueWithin } from "../support/waits.ts";

describe("people are told", () => {
  test("of a failover and of the recovery, with release, address and reason", async () => {
    const { gateway, slack, clock } = await opened();

    gateway.strike(0);
    await taken(slack, 1);
    await recovers(gateway, clock);
    await clock.advance(1_000);
    await taken(slack, 2);

    expect(slack.titles).toEqual([
      "Failover detected: blue -&gt; green",
      "Recovery: back to blue (primary)",
    ]);
    const [first] = slack.posted;
    expect(first?.body).toContain("*Release*\\nv2");
    expect(first?.body).toContain(`*Upstream*\\n${gateway.group.servers[1]?.spec.address}`);
    expect(first?.body).toContain("*Reason*");
    expect(JSON.parse(first?.body ?? "")).toMatchObject({ attachments: [{ color: "#d93025" }] });
  });

  test("of an error rate once, not again within the cooldown, and of its end", async () => {
    const failing = Array.from({ length: 200 }, (_, n) => (n % 20 === 0 ? answer(503) : OK));
    const { gateway, slack, clock } = await opened({ blue: failing, server: { max_fails: 0 } });
    const turn = async (): Promise<void> => {
      await load(gateway, 100);
      await clock.advance(1_000);
    };

    await turn();
    await turn();
    await taken(slack, 1);
    for (let n = 0; n < 4; n++) await turn();
    await taken(slack, 2);
    await clock.advance(600_000);

    expect(slack.titles).toEqual(["High error rate of app", "Error rate of app is normal"]);
    expect(slack.posted[0]?.body).toMatch(
      /4\.8 % failed \(5 of the last 105 requests\).*\*Threshold\*\\n2 %/,
    );
    expect(gateway.happened).toEqual(["error-rate-high", "error-rate-normal"]);
  });

  test("of thirty flaps in three messages", async () => {
    const { gateway, slack, clock } = await opened({ server: { fail_timeout: "1s" } });

    for (let n = 0; n < 30; n++) {
      gateway.strike(0);
      await recovers(gateway, clock);
    }
    await clock.advance(2_000);
    await taken(slack, 2);
    await clock.advance(300_000);
    await taken(slack, 3);

    const moves = gateway.happened.filter((event) => event.startsWith("failover"));
    expect(moves).toHaveLength(30);
    expect(slack.titles[2]).toBe("Recovery: back to blue (primary)");
    expect(slack.posted[2]?.body).toMatch(/\*Folded\*\\n29 times in \d+ s/);
  });

  test("nothing while their group is in maintenance", async () => {
    const { gateway, slack, clock } = await opened();

    await gateway.orders.setMaintenance("app", { by: "the test", on: true });
    gateway.strike(0);
    await clock.advance(5_000);

    expect(slack.posted).toEqual([]);
  });

  test("only of what the configuration names", async () => {
    const { gateway, slack, clock } = await opened({ alerts: { rules: ["standby"] } });

    gateway.switchTo("green");
    gateway.strike(0);
    await taken(slack, 1);
    await clock.advance(5_000);

    expect(slack.titles).toEqual(["The standby blue could not serve app"]);
  });

  test("in another channel from a reload on", async () => {
    const { gateway, slack, setup } = await opened();
    await using other = await new MessageReceiver().listen();

    await gateway.reload({ ...setup, top: { alerts: { channels: [{ webhook: other.url }] } } });
    gateway.strike(0);
    await taken(other, 1);

    expect(slack.posted).toEqual([]);
  });
});

describe("nothing is lost, and nothing doubled", () => {
  test("where the endpoint is down, slow, busy or broken", async () => {
    const { gateway, slack, clock } = await opened();
    slack.replies = [
      { status: 500 },
      { status: 429, fields: { "Retry-After": "7" } },
      "cut",
      { status: 200, afterMs: 300 },
      { status: 200 },
    ];

    gateway.strike(0);
    for (let n = 0; n < 30 && slack.posted.length < 4; n++) {
      await clock.advance(1_000);
      await isTrueWithin(20, () => slack.posted.length >= 4);
    }
    await taken(slack, 1);
    await recovers(gateway, clock);
    await isTrueWithin(5_000, () => gateway.alerts.channels[0]?.sent === 1);
    await clock.advance(1_000);
    await taken(slack, 2);
    await clock.advance(60_000);

    expect(slack.titles).toEqual([
      "Failover detected: blue -&gt; green",
      "Recovery: back to blue (primary)",
    ]);
    expect(slack.posted.map(({ isTaken }) => isTaken)).toEqual([false, false, false, true, true]);
  });

  test("where the gateway ends before a message is taken", async () => {
    const folder = aFolder();
    const stateFile = join(folder, "understudy.state.json");
    const { gateway, slack, setup } = await opened({ replies: [{ status: 500 }], stateFile });
    gateway.strike(0);
    await posted(slack, 1);
    await gateway.stop();
    const kept = readFileSync(join(folder, "understudy.alerts.json"), "utf8");

    slack.replies = [{ status: 200 }];
    const clock = new ManualClock();
    await using _next = await startTestGateway({ ...setup, clock, stateFile });
    await taken(slack, 1);
    await clock.advance(11_000);
    await taken(slack, 2);

    expect(kept).not.toContain("s3cret");
    expect(slack.titles).toEqual([
      "Failover detected: blue -&gt; green",
      "Over since a restart: Failover detected: blue -&gt; green",
    ]);
  });

  test("where the file of what is kept cannot be read", async () => {
    const folder = aFolder();
    writeFileSync(join(folder, "understudy.alerts.json"), "{");
    const stateFile = join(folder, "understudy.state.json");
    const { gateway, slack } = await opened({ stateFile });

    gateway.strike(0);

    await taken(slack, 1);
  });
});

describe("a message", () => {
  test("is signed for a webhook, whose address may stand in a file", async () => {
    await using receiver = await new MessageReceiver().listen();
    const file = join(aFolder(), "webhook");
    writeFileSync(file, `${receiver.url}\n`);
    const channel = { webhook_file: file, secret: "s3cret" };
    const { gateway } = await opened({ alerts: { channels: [channel] } });

    gateway.strike(0);
    await taken(receiver, 1);

    const [{ body, fields } = NOT_POSTED] = receiver.posted;
    const digest = createHmac("sha256", "s3cret");
    const signed = digest
      .update(`${String(fields["x-understudy-timestamp"])}.${body}`)
      .digest("hex");
    expect(fields["x-understudy-signature"]).toBe(`sha256=${signed}`);
    expect(JSON.parse(body)).toMatchObject({
      event: "alert",
      rule: "failover",
      group: "app",
      state: "firing",
      level: "critical",
      title: "Failover detected: blue -> green",
      serves_now: "green",
      release: "v2",
    });
  });

  test("leads to the pages that the configuration names", async () => {
    const links = {
      Dashboard: "https://grafana.example/d/1?a=1&b=2",
      "Run <book>": "https://wiki",
    };
    await using slack = await new MessageReceiver().listen();
    await using receiver = await new MessageReceiver().listen();
    await using discord = await new MessageReceiver().listen();
    const channels = [{ slack: slack.url }, { webhook: receiver.url }, { discord: discord.url }];
    const { gateway } = await opened({ alerts: { links, channels } });

    gateway.strike(0);
    await posted(slack, 1);
    await posted(receiver, 1);
    await posted(discord, 1);

    expect(slack.posted[0]?.body).toContain(
      "<https://grafana.example/d/1?a=1&amp;b=2|Dashboard>  <https://wiki|Run &lt;book&gt;>",
    );
    expect(JSON.parse(receiver.posted[0]?.body ?? "")).toMatchObject({
      link_dashboard: links.Dashboard,
    });
    expect(JSON.parse(discord.posted[0]?.body ?? "")).toMatchObject({
      embeds: [{ description: expect.stringContaining(`[Dashboard](${links.Dashboard})`) }],
    });
  });

  test("is an embed for Discord, in which nobody is mentioned", async () => {
    await using receiver = await new MessageReceiver().listen();
    const { gateway } = await opened({ alerts: { channels: [{ discord: receiver.url }] } });

    gateway.strike(0);
    await posted(receiver, 1);

    expect(JSON.parse(receiver.posted[0]?.body ?? "")).toMatchObject({
      embeds: [{ title: "Failover detected: blue -> green", color: 0xd93025 }],
      allowed_mentions: { parse: [] },
    });
  });

  test("is a mail", async () => {
    const mails: string[] = [];
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      logger: false,
      onData: (stream, _session, done) => {
        void text(stream).then((mail) => {
          mails.push(mail);
          done();
        });
      },
    });
    const listening = server.listen(0, "127.0.0.1");
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    await isTrueWithin(5_000, () => listening.address() !== null);
    const address = listening.address();
    const port = typeof address === "object" ? address?.port : 0;
    const email = {
      server: `smtp://127.0.0.1:${port}`,
      from: "understudy@example.com",
      to: ["ops@example.com"],
    };
    const { gateway } = await opened({ alerts: { channels: [{ email }] } });

    gateway.strike(0);
    await isTrueWithin(5_000, () => mails.length > 0);

    expect(mails[0]).toContain("Subject: [firing] Failover detected: blue -> green");
    expect(mails[0]).toContain("To: ops@example.com");
    expect(mails[0]).toContain("Serves now: green");
  });

  test("is handed to a program", async () => {
    const file = join(aFolder(), "told");
    const exec = ["bash", "-c", `cat > ${file}.new && mv ${file}.new ${file}`];
    const { gateway } = await opened({ alerts: { channels: [{ exec }] } });

    gateway.strike(0);
    const read = (): string | undefined => {
      try {
        return readFileSync(file, "utf8");
      } catch {
        return undefined;
      }
    };
    await isTrueWithin(5_000, () => read() !== undefined);

    expect(JSON.parse(read() ?? "{}")).toMatchObject({ rule: "failover", serves_now: "green" });
  });
});

test("a test message goes through every channel, and tells what came of it", async () => {
  await using gone = await new MessageReceiver([{ status: 404 }]).listen();
  await using well = await new MessageReceiver().listen();
  const channels = [{ slack: well.url }, { webhook: gone.url }];
  const { gateway } = await opened({ alerts: { channels } });

  const tests = await gateway.alerts.test();

  expect(tests).toEqual([
    { channel: `slack 127.0.0.1:${well.port}`, delivery: { ok: true } },
    {
      channel: `webhook 127.0.0.1:${gone.port}`,
      delivery: {
        ok: false,
        isFinal: true,
        reason: `webhook 127.0.0.1:${gone.port} answered 404`,
        retryAfterMs: undefined,
      },
    },
  ]);
});

const NOT_POSTED: Posted = { body: "", fields: {}, isTaken: false };

interface Stage {
  readonly blue?: readonly Behaviour[];
  readonly server?: object;
  /** In place of the channel to Slack alone. */
  readonly alerts?: object;
  readonly replies?: MessageReceiver["replies"];
  readonly stateFile?: string;
}

async function opened({ blue = [OK], server = {}, alerts, replies = [], stateFile }: Stage = {}) {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const clock = new ManualClock();
  const slack = stack.use(await new MessageReceiver(replies).listen());
  const serve = async (name: string, behaviours: readonly Behaviour[]) =>
    stack.use(await startScriptedServer(behaviours, { name, openAtEnd: "close" }));
  const setup = {
    pools: { blue: [await serve("blue", blue)], green: [await serve("green", [OK])] },
    pool: { green: { release: "v2" } },
    server,
    group: { hold_down: "0s", flap: { changes: 0 } },
    top: { alerts: { channels: [{ slack: slack.url }], ...alerts } },
  };
  const more = stateFile === undefined ? {} : { stateFile };
  const gateway = stack.use(await startTestGateway({ ...setup, clock, ...more }));
  return { gateway, slack, clock, setup };
}

/** So many requests, one after the other. */
async function load(gateway: TestGateway, count: number): Promise<void> {
  await using client = await connectRaw(gateway);
  for (let n = 0; n < count; n++) {
    client.send(requestText({}));
    await client.answer("GET");
  }
}

/** Lets checks run until the primary serves. */
async function recovers(gateway: TestGateway, clock: ManualClock): Promise<void> {
  const isBack = (): boolean => gateway.active === "blue";
  for (let n = 0; n < 200 && !isBack(); n++) {
    await clock.advance(250);
    await isTrueWithin(10, isBack);
  }
  expect(gateway.active).toBe("blue");
}

async function taken(receiver: MessageReceiver, count: number): Promise<void> {
  await isTrueWithin(5_000, () => receiver.titles.length >= count);
  expect(receiver.titles.length).toBe(count);
}

/** Tried, whatever came of it. */
async function posted(receiver: MessageReceiver, count: number): Promise<void> {
  await isTrueWithin(5_000, () => receiver.posted.length >= count);
  expect(receiver.posted.length).toBe(count);
}

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "understudy-alerts-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
