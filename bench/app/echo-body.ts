const BYTES = 1_024;

/** Stands for the id of a request that has none. */
export const NOBODY = "nobody";

/** The body that a GET with this id is answered with: whole, and no other's. */
export function echoBodyOf(id: string): string {
  return `${id},`.repeat(Math.ceil(BYTES / (id.length + 1))).slice(0, BYTES);
}
