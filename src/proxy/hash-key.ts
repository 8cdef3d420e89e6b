import { cookieValues } from "../http1/cookies.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { queryArgument } from "./query-argument.ts";

/** The value of a `hash` balance key (`$remote_addr`, `$request_uri`, `$http_NAME`, ...) for a request. */
export function hashKeyOf(key: string, head: RequestHead, clientAddress: string): string {
  switch (key) {
    case "$remote_addr":
      return clientAddress;
    case "$request_uri":
      return head.rawTarget;
    case "$uri":
      return head.path;
    case "$host":
      return head.host.toLowerCase();
    default:
      return namedValue(key, head);
  }
}

function namedValue(key: string, head: RequestHead): string {
  if (key.startsWith("$http_")) return head.field(key.slice(6).replaceAll("_", "-")) ?? "";
  if (key.startsWith("$cookie_")) {
    return cookieValues(head.field("cookie") ?? "", key.slice(8))[0] ?? "";
  }
  if (key.startsWith("$arg_")) return queryArgument(head.rawTarget, key.slice(5));
  return key;
}
