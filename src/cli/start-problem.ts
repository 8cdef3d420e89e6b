import { z } from "zod";

/** Node's errors in words: which address or file, and what is wrong with it. */
export function startProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const problem = START_ERROR.safeParse(error).data;
  if (problem === undefined) return error.message;
  return START_PROBLEMS[problem.code](whereOf(problem));
}

const START_ERROR = z.object({
  code: z.enum([
    "EADDRINUSE",
    "EACCES",
    "EADDRNOTAVAIL",
    "EINVAL",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ENOENT",
    "EISDIR",
  ]),
  address: z.string().optional(),
  hostname: z.string().optional(),
  port: z.number().optional(),
  path: z.string().optional(),
});

const START_PROBLEMS = {
  EADDRINUSE: (where: string) =>
    `cannot listen on ${where}: it is in use by another program${isUnix(where) ? ", or no socket" : ""}`,
  // For a unix socket Node tells a folder that is missing in this way, too.
  EACCES: (where: string) =>
    `cannot use ${where}: permission denied${isUnix(where) ? ", or its folder does not exist" : ""}`,
  EADDRNOTAVAIL: (where: string) => `cannot listen on ${where}: this machine has no such address`,
  // Such as a link-local address without its interface.
  EINVAL: (where: string) => `cannot listen on ${where}: this address is not complete`,
  ENOTFOUND: (where: string) => `cannot listen on ${where}: this name has no address`,
  EAI_AGAIN: (where: string) => `cannot listen on ${where}: this name cannot be looked up`,
  ENOENT: (where: string) => `cannot open ${where}: its folder does not exist`,
  EISDIR: (where: string) => `cannot open ${where}: it is a folder`,
};

function isUnix(where: string): boolean {
  return where.startsWith("unix:");
}

function whereOf({ address, hostname, port, path }: z.infer<typeof START_ERROR>): string {
  if (address === undefined) return hostname ?? path ?? "it";
  return port === undefined || port < 0 ? `unix:${address}` : `${address}:${port}`;
}
