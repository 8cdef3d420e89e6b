import type { IncomingHttpHeaders } from "node:http";
import type { z } from "zod";
import { findingsOf } from "../config/issues.ts";
import { type AdminAnswer, problem, type ProblemCode } from "./admin-answer.ts";

export type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** One path of the admin API: what it takes, does and answers. The server and its description go by it. */
export interface Route {
  readonly method: Method;
  /** `/api/v1/groups/{group}` */
  readonly path: string;
  /** The name of the operation for programs: `switchPool`. */
  readonly id: string;
  /** What it is for, in one sentence. */
  readonly summary: string;
  /** Parameters of the query; undefined = none. */
  readonly query?: z.ZodObject | undefined;
  /** What the body has; undefined = there is none. */
  readonly body?: z.ZodType | undefined;
  readonly success: Success;
  /** Successes beside that, by their status. */
  readonly others?: Readonly<Record<number, Success>> | undefined;
  /** What it may come to beside what every path may. */
  readonly problems: readonly ProblemCode[];
  /** Whoever watches the gateway may ask without the token. */
  readonly isOpen?: boolean | undefined;
  readonly handle: (call: Call) => AdminAnswer | Promise<AdminAnswer>;
}

export interface Success {
  readonly says: string;
  readonly type: string;
  /** Of JSON; undefined = it is text. */
  readonly schema?: z.ZodType | undefined;
}

/** A request for a route. */
export interface Call {
  readonly isHead: boolean;
  /** What stands in the path for `{group}` and its like. */
  readonly param: (name: string) => string;
  /** As `Route.query` makes it of the request's. */
  readonly query: Readonly<Record<string, unknown>>;
  /** JSON; `{}` where there is none. */
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;
  /** Who asks: see Order. */
  readonly by: string;
  /** Whether the caller is one of those who may know everything. */
  readonly isTrusted: boolean;
}

export type Answering<T> = (call: Call, body: T) => AdminAnswer | Promise<AdminAnswer>;

/** The two members of a route that takes a body: what is no such body is answered with 400. */
export function taking<T>(
  body: z.ZodType<T>,
  answer: Answering<T>,
): Pick<Route, "body" | "handle"> {
  return {
    body,
    handle: (call) => {
      const checked = body.safeParse(call.body, { reportInput: true });
      if (checked.success) return answer(call, checked.data);
      return problem("BAD_REQUEST", problemsIn(checked.error));
    },
  };
}

/** `to: is missing; when: unknown key, known here: to, force` */
export function problemsIn({ issues }: z.ZodError): string {
  const findings = issues.flatMap((issue) => findingsOf(issue));
  const told = findings.map(({ path, message }) => {
    const place = path.map(String).join(".");
    return place === "" ? message : `${place}: ${message}`;
  });
  return told.join("; ");
}
