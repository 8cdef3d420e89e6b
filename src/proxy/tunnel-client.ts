/** The client's connection once it has stopped being HTTP. */
export interface TunnelClient {
  /** Bytes that came behind the request, and everything from now on, go to the user. */
  attach(user: TunnelUser): void;
  /** Latin-1 text or bytes; bytes must not be changed afterwards. */
  write(content: string | Buffer): void;
  readonly needsDrain: boolean;
  /** Bytes that the kernel has not taken yet. */
  readonly pendingBytes: number;
  pause(): void;
  resume(): void;
  /** Sends FIN behind what was written. */
  end(): void;
  /** The same, and is gone after `ms` whether or not the client has ended its side by then. */
  endWithin(ms: number): void;
  destroy(): void;
}

export interface TunnelUser {
  /** `bytes` are valid until the call returns. */
  onClientBytes(bytes: Buffer): void;
  onClientDrain(): void;
  onClientEnd(): void;
  onClientGone(): void;
}
