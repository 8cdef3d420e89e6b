import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], testTimeout: number, retry = 0) => ({
  extends: true as const,
  test: { name, include, testTimeout, retry },
});

export default defineConfig({
  test: {
    setupFiles: ["test/support/no-uncaught.ts"],
    projects: [
      project("unit", ["test/*.test.ts", "test/unit/**/*.test.ts"], 20_000),
      project("integration", ["test/integration/**/*.test.ts"], 60_000),
      // Its times are whole seconds of a real clock, which a busy machine may overrun.
      project("nginx", ["test/nginx/**/*.test.ts"], 60_000, 1),
      project("e2e", ["test/e2e/**/*.test.ts"], 120_000),
      // Needs Prometheus and its promtool.
      project("monitoring", ["test/monitoring/**/*.test.ts"], 120_000),
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
