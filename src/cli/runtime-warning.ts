/** The first releases with the security fixes of 2026-07-29, by release line. */
const FIXED_IN: Readonly<Record<number, readonly [minor: number, patch: number]>> = {
  24: [18, 1],
  26: [5, 1],
};

/** What is wrong with running on this Node (`26.4.0`), undefined where nothing is known. */
export function runtimeWarning(version: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (major > 26) return undefined;
  const fixed = FIXED_IN[major];
  const isFixed =
    fixed !== undefined && (minor > fixed[0] || (minor === fixed[0] && patch >= fixed[1]));
  if (isFixed) return undefined;
  return `Node ${version} has known security defects in its network code: use 24.18.1, 26.5.1 or newer`;
}
