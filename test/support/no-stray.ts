import { afterAll } from "vitest";
import { killStrays } from "./program.ts";

/** No process outlives the file of tests that started it. */
afterAll(killStrays);
