import { keepBytes, releaseBytes } from "./read-buffer.ts";

/** Up to this size bytes go on as text: Node writes that from its stack, without a buffer of its own. */
const SMALL_BYTES = 12 * 1024;

/** One side of a tunnel, as far as the other writes to it. */
interface Taker {
  /** Latin-1 text or bytes; bytes must not be changed afterwards. */
  write(content: string | Buffer): void;
  /** Bytes that the kernel has not taken yet. */
  readonly pendingBytes: number;
}

/** Passes on bytes of a read, within the call in which they were given. */
export function passOn(bytes: Buffer, taker: Taker): void {
  if (bytes.length <= SMALL_BYTES) return taker.write(bytes.toString("latin1"));
  const piece = keepBytes(bytes);
  taker.write(piece);
  if (taker.pendingBytes === 0) releaseBytes(piece);
}
