/** One mistake in a configuration. */
export interface Problem {
  readonly file: string;
  /** From 1; 0 where the file itself is the problem. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** `groups.app.pools.blue.servers.0.url`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong, and what would be right. */
  readonly message: string;
  /** The line it is in. */
  readonly source: string;
}

/** `file:line:column  path: message`, below it the source line and a caret. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, path, message, source } = problem;
  const what = printable(path === "" ? message : `${path}: ${message}`);
  if (line === 0) return `${file}: ${what}`;
  const from = Math.max(0, Math.min(column - 40, source.length - 100));
  const shown = printable(source.slice(from, from + 100)).trimEnd();
  const caret = `${" ".repeat(Math.max(0, column - 1 - from))}^`;
  return `${file}:${line}:${column}  ${what}\n    ${shown}\n    ${caret}`;
}

/** A configuration may hold anything: nothing of it may move the cursor of a terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, " ");
}
