import { parseArgs } from "node:util";

/** The flags of a peer that is a program of Node's. */
export function readFlags() {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "" },
      primary: { type: "string", default: "" },
      backup: { type: "string", default: "" },
      log: { type: "string", default: "/dev/null" },
    },
  });
  return {
    port: Number(values.port),
    primary: Number(values.primary),
    backup: Number(values.backup),
    log: values.log,
  };
}
