import type { Socket } from "node:net";
import { Client } from "undici";
import type { HttpProbe } from "../config/config.ts";
import type { ServerSpec } from "../failover/spec.ts";
import { hostOf } from "./connect.ts";
import { type ProbeAnswer, whatIsWrong } from "./judge-answer.ts";
import { type ProbeResult, type ProbeSettings, statusWord } from "./probe-settings.ts";

/** Bytes of a body that are looked at. */
const MOST_BODY_BYTES = 64 * 1024;

/** For undici, which makes one of its own for each client otherwise: a tenth of a probe's cost. */
const OVER = new Error("the probe is over");

/** Asks over a connection that is this probe's own, and ends it. Rejects where no answer comes. */
export async function probeHttp(
  spec: ServerSpec,
  ask: HttpProbe,
  { headBytes, isOnline, expected }: ProbeSettings,
  { socket, signal }: { readonly socket: Socket; readonly signal: AbortSignal },
): Promise<ProbeResult> {
  const client = new Client("http://localhost", {
    // It does not begin where it is called back at once.
    connect: (_, done) => queueMicrotask(() => done(null, socket)),
    // The time is not its own to take.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: headBytes,
    // Without a "close" of undici's, which makes an error of it with each answer.
    pipelining: 1,
  });
  try {
    const { method, path } = ask;
    const headers = fieldsOf(spec, ask, isOnline);
    const {
      statusCode,
      headers: told,
      body,
    } = await client.request({
      method,
      path,
      headers,
      signal,
    });
    const answer: ProbeAnswer = {
      status: statusCode,
      pool: told["x-app-pool"],
      release: told["x-release-id"],
      body: await textOf(body),
    };
    const wrong = whatIsWrong(answer, ask, expected);
    if (wrong === undefined) return { ok: true };
    return { ok: false, reason: `${method} ${path} ${wrong}`, silent: false };
  } finally {
    await client.destroy(OVER);
    socket.destroy();
  }
}

function fieldsOf(spec: ServerSpec, { host, headers }: HttpProbe, isOnline: boolean) {
  return {
    "user-agent": "understudy-probe",
    accept: "*/*",
    ...headersInLowerCase(headers),
    host: host ?? hostOf(spec),
    "x-failover-status": statusWord(isOnline),
  };
}

function headersInLowerCase(headers: HttpProbe["headers"]): Record<string, string> {
  const entries = Object.entries(headers);
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body) {
    const left = MOST_BODY_BYTES - bytes;
    text += decoder.decode(chunk.subarray(0, left), { stream: true });
    bytes += chunk.length;
    if (bytes >= MOST_BODY_BYTES) break;
  }
  return text;
}
