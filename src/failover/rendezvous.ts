/**
 * A server's draw for a key: the highest one of a pool gets the key. Each server draws on its own, so
 * a server that leaves gives away its keys and no other key moves. Weighted as in "Weighted random
 * sampling with a reservoir" (Efraimidis, Spirakis): a server of weight 2 wins twice as often.
 */
export function draw(key: string, serverKey: string, weight: number): number {
  const share = (mix(fnv1a(serverKey, fnv1a(key, FNV_BASIS))) + 0.5) / 2 ** 32;
  return -weight / Math.log(share);
}

const FNV_BASIS = 0x81_1c_9d_c5;
const FNV_PRIME = 0x01_00_01_93;

function fnv1a(text: string, basis: number): number {
  let hash = basis;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME);
  return hash;
}

/** MurmurHash3's finaliser: without it, keys that differ in their last letter draw alike. */
function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85_eb_ca_6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2_b2_ae_35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
