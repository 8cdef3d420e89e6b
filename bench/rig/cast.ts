import type { PeerDescription } from "./peer-description.ts";
import { pickNamed } from "./options.ts";
import { PEERS, versionOf } from "./peers.ts";

export interface CastMember {
  readonly description: PeerDescription;
  readonly version: string;
}

/** Who plays, and who cannot because it is not installed. */
export interface Cast {
  readonly present: readonly CastMember[];
  /** What is missing, and how to get it: a sentence each. */
  readonly missing: readonly string[];
}

/** Looks for the peers named (all where none is) and for the other programs that the bench needs. */
export function castOf(names: readonly string[], programs: readonly Tool[]): Cast {
  const present: CastMember[] = [];
  const missing = programs
    .filter((tool) => !tool.isThere)
    .map((tool) => `${tool.name} is not installed (apt-get install ${tool.debianPackage})`);
  for (const description of pickNamed(PEERS, names, ({ name }) => name)) {
    const version = versionOf(description);
    if (version !== undefined) present.push({ description, version });
    else {
      const { name, debianPackage } = description;
      missing.push(`${name} is not installed (apt-get install ${debianPackage ?? name})`);
    }
  }
  return { present, missing };
}

export interface Tool {
  readonly name: string;
  readonly debianPackage: string;
  readonly isThere: boolean;
}

/** Tells what is missing; true where that is a failure: in CI nothing may be. */
export function tellMissing({ missing }: Cast): boolean {
  for (const sentence of missing) console.error(`MISSING: ${sentence}`);
  return missing.length > 0 && process.env["CI"] === "true";
}
