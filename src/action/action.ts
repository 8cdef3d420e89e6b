/** Something that the gateway does outside of itself. */
export type Action =
  /** A program and its arguments, without a shell. */
  | { readonly kind: "exec"; readonly command: readonly string[]; readonly timeoutMs: number }
  /** A POST of the facts as JSON. */
  | {
      readonly kind: "webhook";
      readonly url: string;
      /** Signs the body. */
      readonly secret: string | undefined;
      readonly timeoutMs: number;
    }
  /** Starts or stops a container by name, over the engine's socket. */
  | {
      readonly kind: "docker";
      readonly container: string;
      readonly order: "start" | "stop";
      readonly socket: string;
      readonly timeoutMs: number;
    };

/** What an action is about: as environment variables in capitals, and as JSON. */
export type ActionFacts = Readonly<Record<string, string>>;

export type ActionResult =
  /** `output`: the beginning of what it told, for the event log; empty where it told nothing. */
  { readonly ok: true; readonly output: string } | { readonly ok: false; readonly reason: string };
