/** Latin-1 text in which every place looks different. */
export function noise(length: number): string {
  let state = 1;
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += 1) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    bytes[at] = 0x21 + ((state >> 16) % 90);
  }
  return bytes.toString("latin1");
}
