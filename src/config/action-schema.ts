import { z } from "zod";
import type { Action } from "../action/action.ts";
import { object, someDuration, text } from "./schema-parts.ts";

/** Where Docker's engine listens. */
const DOCKER_SOCKET = "/var/run/docker.sock";

export const command = z
  .array(text)
  .min(1, { error: "needs a program" })
  .describe(
    "A program and its arguments, without a shell; facts in its environment and as JSON on its input.",
  );

export const url = z.url({ protocol: /^https?$/, error: "must be an http or https url" });

/** What starts or stops something outside of the gateway. */
export const action = object({
  exec: command.optional(),
  webhook: url
    .optional()
    .describe(
      "Gets the facts as JSON by POST; any 2xx = done; tried again within `timeout` where that may help.",
    ),
  secret: text
    .optional()
    .describe(
      "Signs the webhook: `X-Understudy-Signature: sha256=` and the HMAC of `X-Understudy-Timestamp`, a dot and the body.",
    ),
  docker: text.optional().describe("A container by its name."),
  socket: text.prefault(DOCKER_SOCKET).describe("Of Docker's engine."),
  timeout: someDuration.prefault("30s").describe("What it may take; then it is killed."),
}).transform(({ exec, webhook, docker, secret, socket, timeout }, context): WrittenAction => {
  const written = [exec, webhook, docker].filter((one) => one !== undefined);
  if (written.length === 1) {
    const timeoutMs = timeout;
    if (exec !== undefined) return { kind: "exec", command: exec, timeoutMs };
    if (webhook !== undefined) return { kind: "webhook", url: webhook, secret, timeoutMs };
    if (docker !== undefined) return { kind: "docker", container: docker, socket, timeoutMs };
  }
  context.addIssue({ code: "custom", message: "needs one of `exec`, `webhook` and `docker`" });
  return z.NEVER;
});

type Docker = Extract<Action, { readonly kind: "docker" }>;

/** What a container is told depends on where it is written. */
type WrittenAction = Exclude<Action, Docker> | Omit<Docker, "order">;

export function actionOf(written: WrittenAction, order: Docker["order"]): Action {
  return written.kind === "docker" ? { ...written, order } : written;
}
