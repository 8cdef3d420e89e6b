import { expect, test } from "vitest";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { formatProblem } from "../../../src/config/problem.ts";

function parse(slo: string) {
  const text = `listen: 127.0.0.1:0\ngroups: { app: { slo: ${slo}, pools: { blue: http://a } } }\n`;
  return parseConfig(text, { file: "understudy.yaml", env: {}, readText: () => "" });
}

test.each([
  ["{ availability: 99.9 }", { availability: 0.999, latency: undefined }],
  ["{ availability: 99.95% }", { availability: 0.9995, latency: undefined }],
  [
    "{ latency: { p: 99, under: 300ms } }",
    { availability: undefined, latency: { part: 0.99, underMs: 300 } },
  ],
])("%s is a promise", (slo, expected) => {
  const parsed = parse(slo);

  expect(parsed.ok && parsed.config.groups[0]?.slo).toEqual(expected);
});

test.each([
  ["{ availability: 100 }", "availability: 100 is no percentage below 100: write 99.9"],
  ["{ availability: most }", 'availability: "most" is no percentage below 100: write 99.9'],
  ["{ latency: { p: 99, under: 0s } }", "latency.under: must be longer than 0"],
  ["{}", "slo: promises nothing: write `availability`, `latency`, or both"],
  ["{ uptime: 99.9 }", "slo.uptime: unknown key, known here: availability, latency"],
])("%s is refused with what would be right", (slo, expected) => {
  const parsed = parse(slo);

  expect(parsed.ok ? "" : parsed.problems.map(formatProblem).join("\n")).toContain(expected);
});
