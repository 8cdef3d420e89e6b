/**
 * A reporter for vitest: names each test that passed at its second try only, with why the first one
 * failed. Such a test hides either a fault or an expectation that depends on the machine.
 */
import type { Reporter, TestCase } from "vitest/node";

/** Vitest takes a reporter by the default export of its file. */
export default class RetriedReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky !== true) return;
    const [first] = test.result().errors ?? [];
    console.log(`\nRETRIED ${test.fullName}: ${first?.message ?? "no reason told"}`);
  }
}
