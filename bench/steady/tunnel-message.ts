/** A frame as a client sends it: binary, whole, masked with zeros, so that its payload can be read. */
export class TunnelMessage {
  readonly #frame: Buffer;
  readonly #payloadAt: number;
  #sequence = 0;
  #back = 0;

  constructor(sender: number, payloadBytes: number) {
    const header = headerOf(payloadBytes);
    this.#payloadAt = header.length;
    this.#frame = Buffer.concat([header, Buffer.alloc(payloadBytes, "x")]);
    this.#frame.writeUInt32BE(sender, this.#payloadAt);
  }

  /** The next, with another number at its beginning and end. The last one's bytes have left. */
  next(): Buffer {
    const frame = this.#frame;
    this.#sequence += 1;
    this.#back = 0;
    frame.writeUInt32BE(this.#sequence, this.#payloadAt + 4);
    frame.writeUInt32BE(this.#sequence, frame.length - 4);
    return frame;
  }

  /** False where these are not the bytes that must come back now. */
  comesBackWith(bytes: Buffer): boolean {
    const [from, to] = [this.#back, this.#back + bytes.length];
    if (to > this.#frame.length) return false;
    this.#back = to;
    return this.#frame.compare(bytes, 0, bytes.length, from, to) === 0;
  }

  get isBack(): boolean {
    return this.#back === this.#frame.length;
  }
}

function headerOf(payloadBytes: number): Buffer {
  const mask = Buffer.alloc(4);
  if (payloadBytes < 126) return Buffer.from([0x82, 0x80 | payloadBytes, ...mask]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(payloadBytes));
  return Buffer.concat([Buffer.from([0x82, 0x80 | 127]), length, mask]);
}
