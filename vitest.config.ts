import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], testTimeout: number, retry = 0) => ({
  extends: true as const,
  test: { name, include, testTimeout, retry },
});

export default defineConfig({
  test: {
    setupFiles: ["test/support/no-uncaught.ts", "test/support/no-stray.ts"],
    projects: [
      project("unit", ["test/*.test.ts", "test/unit/**/*.test.ts"], 20_000),
      project("integration", ["test/integration/**/*.test.ts"], 60_000),
      // Whole seconds of a real clock, processes killed at random moments: what a busy machine may
      // overrun gets a second try, which CI names.
      project("nginx", ["test/nginx/**/*.test.ts"], 60_000, 1),
      project("e2e", ["test/e2e/**/*.test.ts"], 120_000, 1),
      // Needs Prometheus and its promtool.
      project("monitoring", ["test/monitoring/**/*.test.ts"], 120_000, 1),
      // Needs an engine with Compose, and shares its machine's ports, images and networks.
      project("docker", ["test/docker/**/*.test.ts"], 120_000),
    ],
    coverage: {
      provider: "v8",
      include: ["src/failover/**", "src/http1/**"],
      reporter: ["text"],
      thresholds: { lines: 100, branches: 100, functions: 100, statements: 100 },
    },
  },
});
