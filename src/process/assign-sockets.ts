/**
 * Which workers accept from which of an address's sockets, so that every socket is accepted from
 * while anybody serves, and every worker has one: `sockets` of them, and the slots whose worker
 * serves. Each slot has its own socket; those of a slot without a worker go to the others in turn, and
 * where there are fewer sockets than workers (a unix socket: one) they are shared.
 */
export function assignSockets(
  sockets: number,
  slots: readonly number[],
): ReadonlyMap<number, readonly number[]> {
  const assigned = new Map<number, number[]>(slots.map((slot) => [slot, []]));
  if (sockets === 0 || slots.length === 0) return assigned;
  for (const slot of slots) {
    if (slot >= sockets) assigned.get(slot)?.push(slot % sockets);
  }
  for (let socket = 0; socket < sockets; socket++) {
    const owner = slots.includes(socket) ? socket : slots[socket % slots.length];
    const own = owner === undefined ? undefined : assigned.get(owner);
    if (own !== undefined && !own.includes(socket)) own.push(socket);
  }
  return assigned;
}
