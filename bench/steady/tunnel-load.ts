import type { Case } from "./cases.ts";
import { EchoTunnel } from "./echo-tunnel.ts";
import type { Load } from "./load.ts";

/** Load through open WebSockets: one message under way on each, the next once that is back. */
export async function runTunnels(port: number, work: Case, seconds: number): Promise<Load> {
  const { connections, messageBytes } = work;
  using closing = new DisposableStack();
  const tunnels = await EchoTunnel.openMany(port, connections, messageBytes);
  for (const tunnel of tunnels) closing.use(tunnel);
  const latenciesMs: number[] = [];
  const began = performance.now();
  const until = began + seconds * 1e3;
  const held = await Promise.all(tunnels.map((tunnel) => talk(tunnel, until, latenciesMs)));
  const secondsTaken = (performance.now() - began) / 1e3;
  latenciesMs.sort((a, b) => a - b);
  return {
    requests: latenciesMs.length,
    seconds: secondsTaken,
    failed: held.filter((isWhole) => !isWhole).length,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
  };
}

/** False where the tunnel was closed or a message came back as another. */
async function talk(tunnel: EchoTunnel, until: number, latenciesMs: number[]): Promise<boolean> {
  for (let sentAt = performance.now(); sentAt < until; sentAt = performance.now()) {
    if (!(await tunnel.echo())) return false;
    latenciesMs.push(performance.now() - sentAt);
  }
  return true;
}

function percentile(sorted: readonly number[], ratio: number): number {
  return sorted[Math.floor(sorted.length * ratio)] ?? Number.NaN;
}
