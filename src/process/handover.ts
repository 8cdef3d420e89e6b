import { assignSockets } from "./assign-sockets.ts";
import type { BoundAddress } from "./bound-address.ts";
import { type Answer, DONE } from "./channel.ts";
import type { Member } from "./member.ts";
import { Serial } from "./serial.ts";

/** Who serves where by now. */
export interface Present {
  readonly addresses: readonly BoundAddress[];
  readonly serving: readonly Member[];
}

/** Sees to it that every socket has a worker that accepts from it, and each worker a socket. */
export class Handover {
  readonly #present: () => Present;
  readonly #serial = new Serial();
  /** Somebody could not accept from a socket, so that those who did go on. */
  isIncomplete = false;

  constructor(present: () => Present) {
    this.#present = present;
  }

  /** First the new ones begin, then the others stop. Resolves with why a worker could not begin. */
  run(): Promise<Answer> {
    return this.#serial.run(() => this.#run(this.#present()));
  }

  async #run({ addresses, serving }: Present): Promise<Answer> {
    const wanted = wantedSockets(addresses, serving);
    const takes = Array.from(wanted, ([member, sockets]) => take(member, sockets));
    const failed = (await Promise.all(takes)).flat().find(({ ok }) => !ok);
    this.isIncomplete = failed !== undefined;
    if (failed !== undefined) return failed;
    for (const [member, sockets] of wanted) leave(member, sockets);
    return DONE;
  }
}

interface Socket {
  readonly bound: BoundAddress;
  readonly handle: object;
}

/** By their ids, for each worker. */
type Wanted = ReadonlyMap<Member, ReadonlyMap<string, Socket>>;

function wantedSockets(addresses: readonly BoundAddress[], serving: readonly Member[]): Wanted {
  const wanted = new Map(serving.map((member) => [member, new Map<string, Socket>()]));
  const slots = serving.map(({ slot }) => slot);
  for (const bound of addresses) {
    const assigned = assignSockets(bound.sockets.length, slots);
    for (const [member, sockets] of wanted) {
      for (const at of assigned.get(member.slot) ?? []) {
        const handle = bound.sockets[at];
        if (handle !== undefined) sockets.set(`${at} ${bound.key}`, { bound, handle });
      }
    }
  }
  return wanted;
}

function take(member: Member, sockets: ReadonlyMap<string, Socket>): Promise<readonly Answer[]> {
  const missing = Array.from(sockets).filter(([id]) => !member.sockets.has(id));
  const taken = missing.map(async ([id, { bound, handle }]) => {
    member.sockets.add(id);
    const answer = await member.ask({ type: "take", id, address: bound.address }, handle);
    if (!answer.ok) member.sockets.delete(id);
    return answer;
  });
  return Promise.all(taken);
}

function leave(member: Member, sockets: ReadonlyMap<string, Socket>): void {
  for (const id of member.sockets) {
    if (sockets.has(id)) continue;
    member.sockets.delete(id);
    void member.ask({ type: "leave", id });
  }
}
