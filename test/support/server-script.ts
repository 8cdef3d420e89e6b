/** Answers with a `Content-Length` and keeps the connection. */
export interface PlainAnswer {
  readonly does: "answer";
  readonly status: number;
  /** Default: `NAME answered STATUS` and a line end. */
  readonly body?: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** What a scripted server does with one request, after it has read it whole. */
export type Behaviour =
  | PlainAnswer
  /** Answers, but not before `release()`. */
  | { readonly does: "hold"; readonly status: number }
  /** Sends these bytes as they are, then ends the connection (FIN or RST) or says no more. */
  | { readonly does: "send"; readonly bytes: string; readonly end: "close" | "reset" | "stall" }
  /** Announces 1000 bytes, sends the first 7 of its usual body, then closes or says no more. */
  | { readonly does: "break-off"; readonly end: "close" | "stall" }
  /** Resets a connection that has served before; on a new one it answers 200. */
  | { readonly does: "reset-reused" }
  /** Accepts a WebSocket, says `NAME is here` and a line end, then sends back what comes. */
  | { readonly does: "echo" };

export function answer(status: number): PlainAnswer {
  return { does: "answer", status };
}

export const OK = answer(200);
export const HANG: Behaviour = { does: "send", bytes: "", end: "stall" };
export const CLOSE: Behaviour = { does: "send", bytes: "", end: "close" };
export const RESET: Behaviour = { does: "send", bytes: "", end: "reset" };
export const RESET_REUSED: Behaviour = { does: "reset-reused" };
export const ECHO: Behaviour = { does: "echo" };

export const BAD_HEADER: Behaviour = {
  does: "send",
  bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno header at all\r\n\r\nok",
  end: "close",
};

/** Larger than what nginx takes by default. */
export const HEADER_OF_20_KB: Behaviour = {
  does: "send",
  bytes: `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\nok`,
  end: "close",
};

export const SHORT_BODY: Behaviour = { does: "break-off", end: "close" };
export const STALLED_BODY: Behaviour = { does: "break-off", end: "stall" };
