import type { ServerSpec } from "../failover/spec.ts";
import { CheckTime } from "./check-time.ts";
import { connectTo, reasonOf, targetOf } from "./connect.ts";
import { probeHttp } from "./probe-http.ts";
import { type ProbeResult, type ProbeSettings, statusWord } from "./probe-settings.ts";
import { runProbe } from "./run-probe.ts";

/** One probe of a server. Never throws; an aborted probe has failed. */
export async function probeServer(spec: ServerSpec, settings: ProbeSettings): Promise<ProbeResult> {
  const time = new CheckTime(settings.setDeadline, settings.signal);
  try {
    return await probeBy(spec, settings, time);
  } catch (error) {
    return { ok: false, reason: reasonOf(error), silent: true };
  } finally {
    time.end();
  }
}

async function probeBy(
  spec: ServerSpec,
  settings: ProbeSettings,
  time: CheckTime,
): Promise<ProbeResult> {
  const { ask, timeoutMs } = settings.health;
  switch (ask.kind) {
    case "exec":
      time.allow(timeoutMs, "exit");
      return await runProbe(ask.command, environmentOf(spec, settings), time.signal);
    case "tcp":
      time.allow(timeoutMs, "connection");
      (await connectAnew(spec, settings, time.signal)).destroy();
      return { ok: true };
    case "http": {
      time.allow(timeoutMs, "answer");
      const socket = await connectAnew(spec, settings, time.signal);
      return await probeHttp(spec, ask, settings, { socket, signal: time.signal });
    }
  }
}

/**
 * Never a connection that was used before: it would go on to work where the server has stopped
 * listening, or where its name is another server's by now.
 */
async function connectAnew(spec: ServerSpec, { findAddress }: ProbeSettings, signal: AbortSignal) {
  return await connectTo(await orAbort(targetOf(spec, findAddress), signal), signal);
}

function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    const forget = (): void => signal.removeEventListener("abort", abort);
    promise.then(resolve, reject).finally(forget);
  });
}

function environmentOf({ pool, address }: ServerSpec, { group, env, isOnline }: ProbeSettings) {
  return {
    ...env,
    UNDERSTUDY_GROUP: group,
    UNDERSTUDY_POOL: pool,
    UNDERSTUDY_SERVER: address,
    FAILOVER_STATUS: statusWord(isOnline),
  };
}
