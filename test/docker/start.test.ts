import { describe, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { docker, Rig } from "./rig.ts";

test("a gateway that is there before its apps says so, and serves as soon as one is there", async ({
  onTestFinished,
}) => {
  const rig = opened("early", onTestFinished);

  await rig.compose(["up", "--detach", "--no-deps", "gateway"]);
  await rig.findPorts();
  await until(async () => (await statusOf(rig)) === 502, "it answers");
  const before = [await rig.health("blue"), await rig.health("green")];
  await rig.up(["app_blue"]);
  await until(async () => (await statusOf(rig)) === 200, "blue serves");

  expect(before).toEqual(["unresolved", "unresolved"]);
});

test("a stranger behind the name of a pool that says who it expects is never served", async ({
  onTestFinished,
}) => {
  const rig = opened("stranger", onTestFinished, (config) =>
    config.replace("# expect_pool: blue", "expect_pool: blue"),
  );
  const stranger = `${rig.project}-stranger`;
  onTestFinished(() => docker(["rm", "--force", stranger]).then(() => {}));
  await rig.up();
  await docker(["rm", "--force", rig.container("blue")]);
  const place = `--network ${rig.network} --network-alias app_blue`;
  const run = `run --detach --name ${stranger} ${place} --env APP_POOL=stranger`;
  await docker([...run.split(" "), "understudy-demo-app"]);
  const met = new Set<string | null>();
  await until(async () => {
    const answer = await fetch(`http://127.0.0.1:${rig.port}/version`);
    met.add(answer.headers.get("x-app-pool"));
    return (await rig.lastProbe("blue")).includes("stranger");
  }, "the stranger is known");

  expect(met).not.toContain("stranger");
  expect(await rig.active()).toBe("green");
});

describe("the configuration", () => {
  test("is read again when it is edited on the host, and after a SIGHUP", async ({
    onTestFinished,
  }) => {
    const rig = opened("edit", onTestFinished);
    await rig.up();

    rig.configure((config) => config.replace("primary: ${ACTIVE_POOL:-blue}", "primary: green"));
    await until(async () => (await rig.active()) === "green", "green is the primary", 5_000);
    rig.configure((config) => config.replace("primary: green", "primary: bleu"));
    await docker(["kill", "--signal", "HUP", `${rig.project}-gateway-1`]);
    await until(async () => (await rig.events()).includes("did you mean"), "the mistake is told");

    expect(await rig.active()).toBe("green");
    expect(await statusOf(rig)).toBe(200);
  });
});

test("the image runs as nobody in particular, has nothing that builds and no secret, and cannot be written to", async () => {
  const look = `
    id -u
    command -v gcc cc make python3 git
    ls -A /app
    ls /app/node_modules | grep -E '^(typescript|vitest|oxlint|knip|autocannon|socket.io)$'
    find / -xdev -name '.env*' -o -xdev -name '.npmrc' -o -xdev -name 'id_*' -path '*/.ssh/*'
    touch /app/x /etc/x /var/lib/understudy/x 2>&1 | grep -c 'Read-only'`;
  const flags = ["run", "--rm", "--read-only", "--entrypoint", "sh", "understudy", "-c", look];
  const told = await docker(flags);

  expect(told.trim().split("\n")).toEqual(["1000", "dist", "node_modules", "package.json", "3"]);
});

type OnFinished = (clean: () => Promise<void>) => void;

function opened(name: string, onFinished: OnFinished, change?: (config: string) => string): Rig {
  const rig = new Rig(name, change);
  onFinished(() => rig[Symbol.asyncDispose]());
  return rig;
}

async function statusOf({ port }: Rig): Promise<number> {
  // Nobody listens while it starts.
  const answer = await fetch(`http://127.0.0.1:${port}/version`).catch(() => undefined);
  return answer?.status ?? 0;
}
