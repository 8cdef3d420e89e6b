/**
 * Draws docs/demo.svg from a recorded run of the demo:
 * `npm run demo -- --record run.json && npm exec -- node scripts/demo-svg.ts run.json`
 */
import { readFileSync, writeFileSync } from "node:fs";
import { readRecording } from "../demo/recording.ts";
import { pictureOf } from "./demo-picture.ts";

const file = process.argv[2];
if (file === undefined) {
  console.error("usage: node scripts/demo-svg.ts RECORDING");
  process.exitCode = 2;
} else {
  const picture = pictureOf(readRecording(readFileSync(file, "utf8")));
  writeFileSync(new URL("../docs/demo.svg", import.meta.url), picture);
}
