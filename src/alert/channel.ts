/** Where messages go. A secret is written, or stands in a file that is read for each message. */
export type Channel =
  | { readonly kind: "slack" | "discord"; readonly url: Secret }
  | { readonly kind: "webhook"; readonly url: Secret; readonly secret: string | undefined }
  | {
      readonly kind: "email";
      /** `smtp://user:password@mail.example:587`, or `smtps://`. */
      readonly server: Secret;
      readonly from: string;
      readonly to: readonly string[];
    }
  | { readonly kind: "exec"; readonly command: readonly string[] };

export type Secret = { readonly text: string } | { readonly file: string };

/** For people; no secret is in it: `slack hooks.slack.com`. */
export function channelName(channel: Channel): string {
  switch (channel.kind) {
    case "slack":
    case "discord":
    case "webhook":
      return `${channel.kind} ${placeOf(channel.url)}`;
    case "email":
      return `email ${channel.to.join(", ")}`;
    case "exec":
      return `exec ${channel.command[0] ?? ""}`;
  }
}

function placeOf(secret: Secret): string {
  return "file" in secret ? `by ${secret.file}` : new URL(secret.text).host;
}
