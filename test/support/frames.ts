export interface FrameSpec {
  /** 0 continues a message, 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
  readonly opcode?: number;
  /** The last fragment of its message. */
  readonly fin?: boolean;
  readonly length?: number;
  readonly masked?: boolean;
}

/** A WebSocket frame with a payload of `x`. */
export function frame({ opcode = 2, fin = true, length = 0, masked = false }: FrameSpec): Buffer {
  const header = [(fin ? 0x80 : 0) | opcode, ...lengthBytes(length)];
  if (masked) header[1] = (header[1] ?? 0) | 0x80;
  const mask = Buffer.alloc(masked ? 4 : 0);
  return Buffer.concat([Buffer.from(header), mask, Buffer.alloc(length, "x")]);
}

/** What a gateway says to a client that has to leave: status 1012. */
export const GOODBYE = "\x88\x02\x03\xf4";

/** The same as a client's answer, masked with zeros. */
export const ANSWER_TO_GOODBYE = "\x88\x82\x00\x00\x00\x00\x03\xf4";

function lengthBytes(length: number): readonly number[] {
  if (length < 126) return [length];
  if (length < 65_536) return [126, length >> 8, length & 255];
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return [127, ...bytes];
}
