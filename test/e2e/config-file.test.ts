import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type GatewayProgram, startGatewayProgram } from "../support/gateway-program.ts";
import { bindMount, mayMount, unmount } from "../support/mounts.ts";
import { ask } from "../support/raw-client.ts";
import { type ScriptedServer, startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";

const CLOSE = { openAtEnd: "close" } as const;
/** How long a write may take to be served. */
const VISIBLE_MS = 300;
const WRITES = 7;
/** A machine on which much else runs is late, but not always. */
const BUSY_FACTOR = 3;

const folder = mkdtempSync(join(tmpdir(), "understudy-file-"));
const canMount = mayMount(folder);
rmSync(folder, { recursive: true });

interface Way {
  readonly place: (file: string, text: string) => void;
  readonly write: (file: string, text: string) => void;
  readonly clean?: (file: string) => void;
}

const WAYS: Readonly<Record<string, Way>> = {
  "in place": { place: writeFileSync, write: writeFileSync },
  "by a rename": {
    place: writeFileSync,
    write(file, text) {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    },
  },
  "as Kubernetes swaps links": {
    place(file, text) {
      swapLink(file, text);
      symlinkSync(join("..data", "understudy.yaml"), file);
    },
    write: swapLink,
  },
  [canMount ? "through a bind mount" : "through a hard link"]: {
    place(file, text) {
      writeFileSync(`${file}.source`, text);
      if (canMount) {
        writeFileSync(file, "");
        bindMount(`${file}.source`, file);
      } else linkSync(`${file}.source`, file);
    },
    write: (file, text) => writeFileSync(`${file}.source`, text),
    ...(canMount && { clean: unmount }),
  },
  "by removing and creating": {
    place: writeFileSync,
    write(file, text) {
      unlinkSync(file);
      writeFileSync(file, text);
    },
  },
};

describe("a configuration that is written", () => {
  test.for(Object.entries(WAYS))(
    `%s is served within ${VISIBLE_MS} ms`,
    async ([, { place, write, clean }], { annotate }) => {
      await using server = await startScriptedServer([OK], CLOSE);
      await using gateway = await startGatewayProgram({ ...settings(server, 0), place });
      const times: number[] = [];
      try {
        for (let n = 1; n <= WRITES; n++) {
          const text = gateway.configText(settings(server, n));
          const written = Date.now();
          write(gateway.configFile, text);
          const { time } = await gateway.happened("reloaded", n);
          times.push(Date.parse(time) - written);
        }
      } finally {
        clean?.(gateway.configFile);
      }
      const [fastest = Infinity, ...others] = times.toSorted((a, b) => a - b);
      await annotate(`milliseconds until served: ${times.join(", ")}`);

      expect(fastest).toBeLessThanOrEqual(VISIBLE_MS);
      expect(others[Math.floor(WRITES / 2) - 1]).toBeLessThanOrEqual(VISIBLE_MS * BUSY_FACTOR);
      expect(gateway.eventsOf("reload-rejected")).toEqual([]);
      expect((await ask(gateway))?.status).toBe(200);
    },
  );
});

/** What becomes of a file, and what is said of it. */
const TROUBLES: Readonly<Record<string, readonly [spoil: (file: string) => void, RegExp]>> = {
  "that is removed": [unlinkSync, /understudy\.yaml: cannot be read: ENOENT/],
  "that cannot be read": [
    (file) => {
      unlinkSync(file);
      // Root may read any file; nobody follows a link to itself.
      symlinkSync("understudy.yaml", file);
    },
    /understudy\.yaml: cannot be read: ELOOP/,
  ],
  "whose place a folder takes": [
    (file) => {
      unlinkSync(file);
      mkdirSync(file);
    },
    /understudy\.yaml: cannot be read: EISDIR/,
  ],
  "that is cut to nothing": [(file) => writeFileSync(file, ""), /understudy\.yaml/],
  "that is no YAML": [(file) => writeFileSync(file, "groups: [\n"), /understudy\.yaml:\d+:\d+/],
};

describe.concurrent("a configuration file", () => {
  test(
    `${Object.keys(TROUBLES).join(", or ")} changes nothing, is told once, and may be mended`,
    { timeout: 180_000 },
    async () => {
      await using server = await startScriptedServer([OK], CLOSE);
      await using gateway = await startGatewayProgram(settings(server, 0));
      let rejected = 0;
      for (const [spoil, words] of Object.values(TROUBLES)) {
        const before = await identityOf(gateway);
        const reloads = gateway.eventsOf("reloaded").length;

        spoil(gateway.configFile);
        const { reason } = await gateway.happened("reload-rejected", ++rejected);
        const told = await gateway.command("reload");
        rejected += 1;

        expect(reason).toMatch(words);
        expect(told).toMatchObject({ exit: 1, stdout: "", stderr: `${reason}\n` });
        expect(await identityOf(gateway)).toEqual(before);
        expect((await ask(gateway))?.status).toBe(200);

        rmSync(gateway.configFile, { recursive: true, force: true });
        gateway.write(settings(server, rejected));
        await gateway.happened("reloaded", reloads + 1);
        expect((await identityOf(gateway)).number).toBe(before.number + 1);
      }
      expect(gateway.eventsOf("reload-rejected").length).toBe(rejected);
    },
  );

  test("with a mistake is refused by `reload`, with line and column; then the mended one is told", async () => {
    await using server = await startScriptedServer([OK], CLOSE);
    const text = (key: string): string => `version: 1
listen: 127.0.0.1:0
admin: { address: "unix:${join(dirname(file()), "admin.sock")}" }
access_log: off
groups:
  app:
    pools:
      blue:
        url: http://127.0.0.1:${server.port}
        ${key}: 3
`;
    let placed = "";
    const file = (): string => placed;
    const place = (at: string): void => {
      placed = at;
      writeFileSync(at, text("max_fails"));
    };
    await using gateway = await startGatewayProgram({ groups: {}, place });
    const before = await identityOf(gateway);

    writeFileSync(gateway.configFile, text("max_fials"));
    const refused = await gateway.command("reload");
    const during = await identityOf(gateway);
    const rejected = gateway.eventsOf("reload-rejected").length;
    writeFileSync(gateway.configFile, text("max_fails").replace(": 3", ": 2"));
    const done = await gateway.command("reload");
    const after = await identityOf(gateway);
    writeFileSync(
      gateway.configFile,
      `# changed by hand\n${readFileSync(gateway.configFile, "utf8")}`,
    );
    const same = await gateway.command("reload");
    const last = await identityOf(gateway);

    expect(refused).toMatchObject({ exit: 1, stdout: "" });
    expect(refused.stderr).toMatch(
      /^\S*understudy\.yaml:10:9 .*max_fials: unknown key.*"max_fails"/,
    );
    expect(during).toEqual(before);
    expect(done).toMatchObject({ exit: 0, stderr: "" });
    expect(done.stdout).toMatch(/server \S+ of blue changed/);
    expect(after.number).toBe(before.number + 1);
    expect(after.hash).not.toBe(before.hash);
    expect(same.stdout).toMatch(/^nothing has changed since configuration 2: .*of blue changed\n$/);
    expect(last.number).toBe(after.number);
    expect(last.hash).not.toBe(after.hash);
    // Once by the change of the file, once by the command.
    expect(rejected).toBe(2);
  });

  test("with `isolate: true` reloads all groups but the one that is wrong, and says both", async () => {
    await using blue = await startScriptedServer([OK], { name: "blue", ...CLOSE });
    await using green = await startScriptedServer([OK], { name: "green", ...CLOSE });
    const settingsWith = (left: ScriptedServer, right: object) => ({
      groups: {
        left: { routes: [{ path: "/left" }], pools: { one: urlOf(left) } },
        right: { routes: [{ path: "/right" }], pools: { one: urlOf(blue) }, ...right },
      },
      config: { isolate: true, workers: 2 },
    });
    await using gateway = await startGatewayProgram(settingsWith(blue, {}));

    gateway.write(settingsWith(green, { balence: "random" }));
    const { exit, stdout, stderr } = await gateway.command("reload");
    const warning = gateway.events.find(({ message }) => message === "configuration warning");
    const answers = [];
    for (const path of ["/left", "/right"]) answers.push((await ask(gateway, { path }))?.body);

    expect([exit, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /group right stays as it was:\n\S*understudy\.yaml:1:\d+ .*balence: unknown key/,
    );
    expect(stdout).toMatch(/group left: server \S+ added to one/);
    expect(warning?.reason).toMatch(/^group right stays as it was:\n/);
    expect(answers).toEqual(["green answered 200\n", "blue answered 200\n"]);
  });
});

function settings(server: ScriptedServer, n: number) {
  const blue = { url: urlOf(server), max_fails: 2 + n };
  return { groups: { app: { pools: { blue } } }, config: { workers: 2 } };
}

function urlOf({ port }: ScriptedServer): string {
  return `http://127.0.0.1:${port}`;
}

/** The folder with the new text takes the place of the one before in one step. */
function swapLink(file: string, text: string): void {
  const base = dirname(file);
  const fresh = mkdtempSync(join(base, "..2026_"));
  writeFileSync(join(fresh, "understudy.yaml"), text);
  symlinkSync(fresh, join(base, "..data_tmp"));
  renameSync(join(base, "..data_tmp"), join(base, "..data"));
}

const STATUS = z.object({ config: z.object({ number: z.number(), hash: z.string() }) });

async function identityOf(gateway: GatewayProgram) {
  return STATUS.parse(await gateway.adminSays("/api/v1/status")).config;
}
