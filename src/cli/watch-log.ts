import { hostname } from "node:os";
import { basename, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Message } from "../alert/alert.ts";
import { deliver } from "../alert/deliver.ts";
import { plainText, type Sender } from "../alert/message-text.ts";
import type { Delivery } from "../alert/outbox.ts";
import { pause, systemClock } from "../clock.ts";
import type { Env } from "../config/interpolate.ts";
import type { GatewayEvent } from "../events.ts";
import { LogClock } from "../watch/log-clock.ts";
import { LogFollower } from "../watch/log-follower.ts";
import { LogReader } from "../watch/log-reader.ts";
import { LogWatch } from "../watch/log-watch.ts";
import { type KeptWatch, NOTHING_WATCHED, WatchFile } from "../watch/watch-file.ts";
import { eventLine } from "./events.ts";
import { EXIT } from "./exit-codes.ts";
import { settingsOf, warn, type WatchLogOptions, type WatchSettings } from "./watch-settings.ts";

/** Milliseconds between two looks at the file. */
const LOOK_MS = 250;
/** After so many lines none of which is known, somebody should hear of it. */
const STRANGE_LINES = 100;

/** `understudy watch FILE`: the alerts of the gateway from the access log of another one. */
export async function watchLog(file: string, options: WatchLogOptions, env: Env): Promise<number> {
  const settings = settingsOf(options, env);
  if (settings === undefined) return EXIT.usage;
  if (options.once !== true && !settings.isPrinting && settings.alerts.channels.length === 0) {
    warn(
      "nobody would be told: set SLACK_WEBHOOK_URL, or name a --config with alerts.channels, or --print",
    );
    return EXIT.usage;
  }
  try {
    if (options.once === true) return await replay(file, settings);
    return file === "-" ? await watchInput(settings) : await follow(file, options, settings);
  } catch (error) {
    // The file is a folder, or its disk is broken.
    warn(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.failed;
  }
}

/** Prints what would have been told, at the time when it was. */
async function replay(file: string, settings: WatchSettings): Promise<number> {
  const clock = new LogClock(0);
  const watch = createWatch(
    settings,
    clock,
    NOTHING_WATCHED,
    new AbortController().signal,
    () => {},
  );
  watch.start();
  if (file === "-") {
    for await (const line of createInterface({ input: process.stdin })) {
      watch.hear([line], systemClock.wall());
    }
  } else {
    const reader = await LogReader.open(file, "start");
    for (let lines = await reader.read(); lines !== undefined; lines = await reader.read()) {
      watch.hear(lines, systemClock.wall());
      await pause(0);
    }
    await reader.close();
  }
  await printRest(watch, clock);
  warnOfStrangeLines(watch);
  return EXIT.done;
}

/** Lets the last doubts and cooldowns pass, and the last messages out. */
async function printRest(watch: LogWatch, clock: LogClock): Promise<void> {
  watch.pass(clock.now() + 1_000);
  const waits = (): boolean => watch.alerts.channels.some(({ waiting }) => waiting > 0);
  while (waits()) {
    await pause(0);
    clock.advanceTo(clock.now() + 1_000);
  }
  await watch.alerts.stop();
}

async function follow(
  file: string,
  options: WatchLogOptions,
  settings: WatchSettings,
): Promise<number> {
  const path = resolve(file);
  const statePath = options.state ?? join(settings.folder, `${basename(file)}.watch.json`);
  const state = new WatchFile(statePath, (reason) => warn(`${reason}; the place is not kept`));
  const kept = state.load();
  const stopping = stopSignal();
  let isChanged = false;
  const clock = new LogClock(kept.at ?? (options.fromStart === true ? 0 : systemClock.wall()));
  const watch = createWatch(settings, clock, kept, stopping, () => (isChanged = true));
  const follower = new LogFollower(path, (lines) => watch.hear(lines, systemClock.wall()));
  watch.start();
  await follower.begin(kept.places, options.fromStart === true ? "start" : "end");
  warn(
    follower.isThere
      ? `watching ${path}`
      : `${path} is not there yet, or cannot be read: waiting for it`,
  );
  const save = (): void => {
    isChanged = false;
    state.save({ ...watch.kept, places: follower.places });
  };
  // What comes from here on is found also where the watch is killed before anything happens.
  save();
  let isWarned = false;
  while (!stopping.aborted) {
    await follower.look();
    watch.pass(systemClock.wall());
    if (isChanged) save();
    if (!isWarned) isWarned = warnOfStrangeLines(watch);
    await pause(LOOK_MS);
  }
  await watch.alerts.stop();
  save();
  await follower.close();
  await state.close();
  return EXIT.done;
}

async function watchInput(settings: WatchSettings): Promise<number> {
  const stopping = stopSignal();
  const clock = new LogClock(systemClock.wall());
  const watch = createWatch(settings, clock, NOTHING_WATCHED, stopping, () => {});
  watch.start();
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => watch.hear([line], systemClock.wall()));
  const input = { isOver: false };
  lines.once("close", () => (input.isOver = true));
  while (!input.isOver && !stopping.aborted) {
    watch.pass(systemClock.wall());
    await pause(LOOK_MS);
  }
  lines.close();
  await sendRest(watch, stopping);
  await watch.alerts.stop();
  return EXIT.done;
}

/** What is still to be sent when the input ends: there is no next start that would. */
async function sendRest(watch: LogWatch, stopping: AbortSignal): Promise<void> {
  const end = systemClock.wall() + 10_000;
  watch.pass(systemClock.wall() + 1_000);
  while (watch.alerts.channels.some(({ waiting }) => waiting > 0) && systemClock.wall() < end) {
    if (stopping.aborted) return;
    await pause(LOOK_MS);
    watch.pass(systemClock.wall());
  }
}

function createWatch(
  settings: WatchSettings,
  clock: LogClock,
  kept: KeptWatch,
  signal: AbortSignal,
  onChange: () => void,
): LogWatch {
  const from = `understudy watch on ${hostname()}`;
  const { env, folder: base, isPrinting, alerts: config, group, primaryOf } = settings;
  const sender = { from, links: config.links };
  const means = { ...sender, env, base, signal, wall: () => systemClock.wall() };
  return new LogWatch({
    clock,
    config,
    group,
    primaryOf,
    kept,
    onChange,
    deliver: (channel, message) =>
      isPrinting ? print(message, sender) : deliver(channel, message, means),
    onEvent: (event) => {
      if (!isPrinting) process.stdout.write(`${lineOf(event, clock.wall())}\n`);
    },
  });
}

async function print(message: Message, sender: Sender): Promise<Delivery> {
  process.stdout.write(`${message.title}\n${plainText(message, sender)}\n\n`);
  return { ok: true };
}

function lineOf(event: GatewayEvent, at: number): string {
  return eventLine({ ...event, time: new Date(at).toISOString() });
}

/** Aborts at the first signal that asks for the end; a second one is obeyed by the system. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const name of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
    process.once(name, () => stopping.abort());
  }
  return stopping.signal;
}

/** Gives whether it did. */
function warnOfStrangeLines({ lines, unknown }: LogWatch): boolean {
  if (unknown < STRANGE_LINES && (unknown === 0 || unknown < lines)) return false;
  warn(
    `${unknown} of ${lines} lines have no status that could be found: known are JSON, name=value pairs (pool=, upstream_status=, ...) and combined`,
  );
  return true;
}
