import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { freePort } from "../../bench/rig/ports.ts";
import { type Program, startProgram } from "./program.ts";
import { until } from "./until.ts";

/** What users get. */
export const MONITORING = fileURLToPath(new URL("../../docker/monitoring", import.meta.url));

const ANSWER = z.object({
  status: z.literal("success"),
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
});

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real Prometheus with the users' configuration, that scrapes this address every second. */
export async function startPrometheus(target: string): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "understudy-prometheus-"));
  const config = join(folder, "prometheus.yml");
  const text = readFileSync(join(MONITORING, "prometheus.yml"), "utf8")
    .replaceAll(": 5s", ": 1s")
    .replace("gateway:9900", target)
    .replace("alerts.yml", join(MONITORING, "alerts.yml"));
  writeFileSync(config, text);
  const address = `127.0.0.1:${await freePort()}`;
  const program = startProgram("prometheus", [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=${address}`,
  ]);
  const prometheus = new Prometheus(program, folder, `http://${address}`);
  await until(() => prometheus.isReady(), "prometheus is ready");
  return prometheus;
}

export class Prometheus implements AsyncDisposable {
  readonly #program: Program;
  readonly #folder: string;
  readonly #url: string;

  constructor(program: Program, folder: string, url: string) {
    this.#program = program;
    this.#folder = folder;
    this.#url = url;
  }

  async isReady(): Promise<boolean> {
    if (this.#program.isOver) throw new Error(this.#program.stderr);
    const answer = await fetch(`${this.#url}/-/ready`).catch(() => undefined);
    return answer?.ok === true;
  }

  /** What an expression of PromQL is just now. */
  async query(expression: string): Promise<readonly Sample[]> {
    const query = new URLSearchParams({ query: expression });
    const answer = await fetch(`${this.#url}/api/v1/query?${query.toString()}`);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${expression}: ${text}`);
    const { data } = ANSWER.parse(JSON.parse(text));
    return data.result.map(({ metric, value: [, value] }) => ({
      labels: metric,
      value: Number(value),
    }));
  }

  /** The same, where it is one number; undefined where it is none. */
  async number(expression: string): Promise<number | undefined> {
    return (await this.query(expression))[0]?.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true });
  }
}
