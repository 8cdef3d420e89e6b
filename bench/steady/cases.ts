/** A kind of work that the proxies are compared in. */
export interface Case {
  readonly name: string;
  readonly title: string;
  readonly path: string;
  readonly connections: number;
  /** Bytes of a POST's body; 0 = a GET. */
  readonly bodyBytes: number;
  /** Fields of each request. */
  readonly fields: readonly string[];
  /** Requests in one write. */
  readonly pipelined: number;
  /** Bytes of a message that goes through an open WebSocket and comes back; 0 = HTTP. */
  readonly messageBytes: number;
  /** What the project wants of Understudy, as a ratio to nginx's CPU per request. */
  readonly goal?: Goal;
}

export interface Goal {
  readonly ratio: number;
  /** Nobody should be content above. */
  readonly limit: number;
}

/** What Chrome sends to a site that it has been to; with Host and Connection they are 20. */
const BROWSER_FIELDS = [
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
  "Cache-Control: max-age=0",
  "Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; _ga=GA1.1.1234567890.1700000000",
  "DNT: 1",
  "If-Modified-Since: Wed, 21 Oct 2025 07:28:00 GMT",
  'If-None-Match: "33a64df551425fcc55e4d42a148795d9f25f89d4"',
  "Priority: u=0, i",
  "Referer: https://app.example.com/dashboard?tab=overview",
  'Sec-CH-UA: "Not)A;Brand";v="8", "Chromium";v="138", "Google Chrome";v="138"',
  "Sec-CH-UA-Mobile: ?0",
  'Sec-CH-UA-Platform: "Linux"',
  "Sec-Fetch-Dest: document",
  "Sec-Fetch-Mode: navigate",
  "Sec-Fetch-Site: same-origin",
  "Sec-Fetch-User: ?1",
  "Upgrade-Insecure-Requests: 1",
];

const GET = {
  path: "/json",
  connections: 32,
  bodyBytes: 0,
  fields: [],
  pipelined: 1,
  messageBytes: 0,
} as const;
const POST = { ...GET, path: "/sink" } as const;
const TUNNEL = { ...GET, path: "/tunnel" } as const;

export const CASES: readonly Case[] = [
  { ...GET, name: "get-1", title: "small GET, 1 connection", connections: 1 },
  { ...GET, name: "get-32", title: "small GET, 32 connections", goal: { ratio: 1.25, limit: 1.4 } },
  { ...GET, name: "get-512", title: "small GET, 512 connections", connections: 512 },
  {
    ...GET,
    name: "headers",
    title: "the same with 20 request headers",
    fields: BROWSER_FIELDS,
    goal: { ratio: 1.3, limit: 1.5 },
  },
  { ...GET, name: "64k", title: "64 KB download", path: "/64k" },
  {
    ...GET,
    name: "1m",
    title: "1 MB download",
    path: "/1m",
    goal: { ratio: 1.4, limit: 1.7 },
  },
  {
    ...POST,
    name: "upload",
    title: "1 MB upload",
    bodyBytes: 1024 * 1024,
    goal: { ratio: 1.5, limit: 2 },
  },
  { ...POST, name: "post-16k", title: "16 KB POST", bodyBytes: 16 * 1024 },
  {
    ...GET,
    name: "new",
    title: "new connection per request",
    fields: ["Connection: close"],
    goal: { ratio: 1.6, limit: 2 },
  },
  { ...GET, name: "pipelined", title: "16 requests pipelined", pipelined: 16 },
  {
    ...TUNNEL,
    name: "ws-64",
    title: "64 bytes by WebSocket and back",
    messageBytes: 64,
    goal: { ratio: 1.5, limit: 1.5 },
  },
  {
    ...TUNNEL,
    name: "ws-64k",
    title: "64 KB by WebSocket and back",
    messageBytes: 64 * 1024,
  },
];
