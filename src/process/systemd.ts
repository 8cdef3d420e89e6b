import { execFile } from "node:child_process";

type Env = Readonly<Record<string, string | undefined>>;

/** A listening socket that systemd has opened for this process (socket activation). */
export interface InheritedSocket {
  readonly fd: number;
  /** `FileDescriptorName=` of its unit, by default the unit's name; `unknown` where none is told. */
  readonly name: string;
}

export type Inherited =
  | { readonly ok: true; readonly sockets: readonly InheritedSocket[] }
  | { readonly ok: false; readonly reason: string };

/** The first descriptor that is passed, as sd_listen_fds(3) has it. */
const FIRST_FD = 3;
const MOST_FDS = 1024;

/** The sockets passed to the process `pid`; none where they were meant for another one. */
export function inheritedSockets(env: Env, pid: number): Inherited {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
  if (LISTEN_PID === undefined || LISTEN_FDS === undefined) return { ok: true, sockets: [] };
  const owner = wholeNumber(LISTEN_PID);
  if (owner === undefined) return bad(`LISTEN_PID is no process: "${LISTEN_PID}"`);
  if (owner !== pid) return { ok: true, sockets: [] };
  const count = wholeNumber(LISTEN_FDS);
  if (count === undefined || count > MOST_FDS) {
    return bad(`LISTEN_FDS is no number up to ${MOST_FDS}: "${LISTEN_FDS}"`);
  }
  const names = LISTEN_FDNAMES === undefined || count === 0 ? [] : LISTEN_FDNAMES.split(":");
  if (names.length > 0 && names.length !== count) {
    return bad(`LISTEN_FDNAMES has ${names.length} names for ${count} sockets`);
  }
  const sockets = Array.from({ length: count }, (_, n) => ({
    fd: FIRST_FD + n,
    name: names[n] ?? "unknown",
  }));
  return { ok: true, sockets };
}

/**
 * Tells the service manager how this process is (sd_notify(3)); does nothing where none has asked to
 * be told. What is told comes in its order; each promise is done when it was taken, and gives in
 * words what went wrong, undefined where nothing did. It never rejects.
 */
export interface Notifier {
  /** It serves. */
  ready(): Promise<string | undefined>;
  stopping(): Promise<string | undefined>;
}

/** Milliseconds that systemd-notify may take. */
const NOTIFY_MS = 5_000;

/** `pid`: the main process of the service. Node knows no datagram sockets, so `systemd-notify` is run. */
export function createNotifier(env: Env, pid: number): Notifier {
  const { NOTIFY_SOCKET, PATH } = env;
  let last: Promise<string | undefined> = Promise.resolve(undefined);
  const tell = (state: string): Promise<string | undefined> => {
    if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === "") return Promise.resolve(undefined);
    last = last.then(() => notify([`--pid=${pid}`, state], { NOTIFY_SOCKET, PATH }));
    return last;
  };
  return {
    ready: () => tell("READY=1"),
    stopping: () => tell("STOPPING=1"),
  };
}

function notify(args: readonly string[], env: Env): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile("systemd-notify", args, { env, timeout: NOTIFY_MS }, (error, _, stderr) => {
      if (error === null) resolve(undefined);
      else resolve(`systemd-notify: ${stderr.trim() || error.message}`);
    });
  });
}

function wholeNumber(text: string): number | undefined {
  return /^(?:0|[1-9]\d{0,9})$/.test(text) ? Number(text) : undefined;
}

function bad(reason: string): Inherited {
  return { ok: false, reason };
}
