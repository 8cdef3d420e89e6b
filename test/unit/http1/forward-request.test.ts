import { describe, expect, test } from "vitest";
import { serialiseRequest } from "../../../src/http1/forward-request.ts";
import type { Forwarding } from "../../../src/http1/forward-request.ts";
import { FORWARDING, get, head, post, readRequest } from "./heads.ts";

const ORIGIN = [
  "X-Forwarded-For: 192.0.2.7",
  "X-Forwarded-Proto: http",
  "X-Forwarded-Host: a.example",
  "X-Forwarded-Port: 8080",
  "Forwarded: for=192.0.2.7;host=a.example;proto=http",
];
const OURS = [...ORIGIN, "Via: 1.1 understudy", "X-Request-Id: r1"];

function forward(text: string, differs: Partial<Forwarding> = {}): string {
  return serialiseRequest(readRequest(text), { ...FORWARDING, ...differs });
}

const FORWARDED: [what: string, text: string, lines: string[]][] = [
  ["a plain request", get("Accept: */*", "A: b"), ["Accept: */*", "A: b", ...OURS]],
  [
    "fields in their order, case and number",
    get("B: 1", "a: 2", "b: 3"),
    ["B: 1", "a: 2", "b: 3", ...OURS],
  ],
  ["values with obs-text and tabs", get("A: \u00e4\t\u00ff"), ["A: \u00e4\t\u00ff", ...OURS]],
  ["Trailer", get("Trailer: Expires"), ["Trailer: Expires", ...OURS]],
  [
    "a proxy's credentials, as nginx does",
    get("Proxy-Authorization: x"),
    ["Proxy-Authorization: x", ...OURS],
  ],
  ["earlier Via before ours", get("Via: 1.0 cdn"), ["Via: 1.0 cdn", ...OURS]],
];

test.each(FORWARDED)("goes on: %s", (_, text, lines) => {
  expect(forward(text)).toBe(head("GET / HTTP/1.1", "Host: a.example", ...lines));
});

describe("in a trace of the gateway's", () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-b7ad6b7169203331-01";
  const text = get("Traceparent: 00-1-2-01", "A: b", "TraceState: shop=1", "tracestate: x=2");

  test("a server is told of its attempt, and of the client's state where the trace is the client's", () => {
    const trace = { line: `traceparent: ${traceparent}\r\n`, isContinued: true };
    const lines = ["A: b", "TraceState: shop=1", "tracestate: x=2", `traceparent: ${traceparent}`];

    expect(forward(text, { trace })).toBe(
      head("GET / HTTP/1.1", "Host: a.example", ...lines, ...OURS),
    );
  });

  test("a server is told where the client has said nothing", () => {
    const trace = { line: `traceparent: ${traceparent}\r\n`, isContinued: false };

    expect(forward(get("A: b"), { trace })).toBe(
      head("GET / HTTP/1.1", "Host: a.example", "A: b", `traceparent: ${traceparent}`, ...OURS),
    );
  });

  test("nothing of another trace goes on where it begins here", () => {
    const trace = { line: `traceparent: ${traceparent}\r\n`, isContinued: false };
    const lines = ["A: b", `traceparent: ${traceparent}`];

    expect(forward(text, { trace })).toBe(
      head("GET / HTTP/1.1", "Host: a.example", ...lines, ...OURS),
    );
  });
});

const DROPPED: [what: string, ...lines: string[]][] = [
  ["connection and keep-alive", "Connection: keep-alive", "Keep-Alive: timeout=5"],
  ["the old proxies' connection", "Proxy-Connection: keep-alive"],
  ["TE", "TE: trailers", "Connection: TE"],
  ["an upgrade to h2c", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: A"],
  ["nominated fields", "X-Secret: 1", "Connection: close, x-secret, ,x-Other", "X-OTHER: 2"],
  ["underscored names", "X_Forwarded_For: 6.6.6.6", "Content_Length: 5", "_: 1", "a_b: 2"],
  ["the client's request id", "X-Request-Id: forged"],
  ["what a stranger says of its origin", "X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6"],
  ["and of its host", "X-Forwarded-Host: evil", "X-Forwarded-Port: 1", "x-forwarded-proto: https"],
  [
    "and all like it",
    "X-Forwarded-Prefix: /evil",
    "X-FORWARDED-Server: evil",
    "X-Real-IP: 6.6.6.6",
  ],
  ["an expectation", "Expect: 100-continue"],
  ["a nominated Host", "Connection: host"],
];

test.each(DROPPED)("does not go on: %s", (_, ...lines) => {
  const kept = ["Accept: */*", "A: b"];

  const between = forward(get("Accept: */*", ...lines, "A: b"));
  const before = forward(head("GET / HTTP/1.1", ...lines, "Host: a.example", ...kept));

  const expected = head("GET / HTTP/1.1", "Host: a.example", ...kept, ...OURS);
  expect([between, before]).toEqual([expected, expected]);
});

test("a client cannot nominate away what a server trusts", () => {
  const trusted = ["Authorization: Basic x", "Cookie: a=b"];
  const names = "authorization, cookie, host, via, forwarded, x-forwarded-for, x-request-id";

  const forwarded = forward(get(...trusted, `Connection: ${names}, content-length`));

  expect(forwarded).toBe(head("GET / HTTP/1.1", "Host: a.example", ...trusted, ...OURS));
});

describe("one field frames the body", () => {
  const FRAMED: [sent: string, goesOn: string][] = [
    ["content-length: 007", "Content-Length: 7"],
    ["Content-Length: 0", "Content-Length: 0"],
    ["transfer-encoding: Chunked", "Transfer-Encoding: chunked"],
  ];

  test.each(FRAMED)("%s goes on as %s", (sent, goesOn) => {
    const expected = head("POST / HTTP/1.1", "Host: a.example", "A: b", goesOn, ...OURS);

    expect(forward(post(sent, "A: b"))).toBe(expected);
    expect(forward(post(sent, "A: b", `Connection: ${sent.split(":")[0]}`))).toBe(expected);
  });
});

test("a request of HTTP/1.0 without Host goes on as HTTP/1.1", () => {
  const forwarded = forward(head("GET / HTTP/1.0"), { host: "server:3000" });

  expect(forwarded).toBe(
    head(
      "GET / HTTP/1.1",
      "Host: server:3000",
      "X-Forwarded-For: 192.0.2.7",
      "X-Forwarded-Proto: http",
      "X-Forwarded-Port: 8080",
      "Forwarded: for=192.0.2.7;proto=http",
      "Via: 1.0 understudy",
      "X-Request-Id: r1",
    ),
  );
});

test("the host for the server does not change the host that the client asked for", () => {
  const forwarded = forward(get(), { host: "server:3000" });

  expect(forwarded).toBe(head("GET / HTTP/1.1", "Host: server:3000", ...OURS));
});

test("an absolute target goes on as a path with its authority as Host", () => {
  const forwarded = forward(head("GET http://a.example/x?y HTTP/1.1", "Host: evil"));

  expect(forwarded).toBe(head("GET /x?y HTTP/1.1", "Host: a.example", ...OURS));
});

test("an IPv6 address and a port are quoted in Forwarded", () => {
  const text = head("GET / HTTP/1.1", "Host: [2001:db8::2]:8443");
  const client = { clientAddress: "2001:db8::1", scheme: "https", localPort: 8443 } as const;

  expect(forward(text, client)).toBe(
    head(
      "GET / HTTP/1.1",
      "Host: [2001:db8::2]:8443",
      "X-Forwarded-For: 2001:db8::1",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: [2001:db8::2]:8443",
      "X-Forwarded-Port: 8443",
      'Forwarded: for="[2001:db8::1]";host="[2001:db8::2]:8443";proto=https',
      "Via: 1.1 understudy",
      "X-Request-Id: r1",
    ),
  );
});

test("a client on a unix socket has no address and no port", () => {
  expect(forward(get(), { clientAddress: "unix:", localPort: 0 })).toBe(
    head(
      "GET / HTTP/1.1",
      "Host: a.example",
      "X-Forwarded-For: unix:",
      "X-Forwarded-Proto: http",
      "X-Forwarded-Host: a.example",
      "Forwarded: for=unknown;host=a.example;proto=http",
      "Via: 1.1 understudy",
      "X-Request-Id: r1",
    ),
  );
});

describe("a trusted client", () => {
  const trusted = { trusted: true };

  test("is appended to what it says, and its word is kept", () => {
    const text = get(
      "x-forwarded-for: 198.51.100.1",
      "X-Forwarded-For: 198.51.100.2",
      "Forwarded: for=198.51.100.1",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: www.example",
      "X-Forwarded-Port: 443",
      "X-Forwarded-Prefix: /x",
    );

    expect(forward(text, trusted)).toBe(
      head(
        "GET / HTTP/1.1",
        "Host: a.example",
        "X-Forwarded-For: 198.51.100.1, 198.51.100.2, 192.0.2.7",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: www.example",
        "X-Forwarded-Port: 443",
        "Forwarded: for=198.51.100.1, for=192.0.2.7;host=a.example;proto=http",
        "X-Forwarded-Prefix: /x",
        "Via: 1.1 understudy",
        "X-Request-Id: r1",
      ),
    );
  });

  test("that says nothing is described as any other", () => {
    expect(forward(get("X-Forwarded-For:"), trusted)).toBe(
      head("GET / HTTP/1.1", "Host: a.example", ...OURS),
    );
  });

  test("on a unix socket without Host leaves no empty lines", () => {
    expect(
      forward(head("GET / HTTP/1.0"), { trusted: true, clientAddress: "unix:", localPort: 0 }),
    ).toBe(
      head(
        "GET / HTTP/1.1",
        "Host: ",
        "X-Forwarded-For: unix:",
        "X-Forwarded-Proto: http",
        "Forwarded: for=unknown;proto=http",
        "Via: 1.0 understudy",
        "X-Request-Id: r1",
      ),
    );
  });

  test("cannot pass underscored names either", () => {
    expect(forward(get("X-Forwarded-A_B: 1", "X-Real-IP: 198.51.100.1"), trusted)).toBe(
      head(
        "GET / HTTP/1.1",
        "Host: a.example",
        ...ORIGIN,
        "X-Real-IP: 198.51.100.1",
        ...OURS.slice(-2),
      ),
    );
  });
});

test("an upgrade goes on only when it is asked for", () => {
  const key = "Sec-WebSocket-Key: dGVzdA==";
  const text = get("Connection: keep-alive, Upgrade", "Upgrade: WebSocket", key);
  const plain = head("GET / HTTP/1.1", "Host: a.example", key, ...OURS);
  const upgrading = ["Connection: Upgrade", "Upgrade: websocket"];

  expect(forward(text)).toBe(plain);
  expect(forward(text, { upgrade: true })).toBe(
    head("GET / HTTP/1.1", "Host: a.example", key, ...OURS, ...upgrading),
  );
  expect(forward(get(), { upgrade: true })).toBe(forward(get()));
});

test("an expectation goes on only when it is asked for", () => {
  const text = post("Content-Length: 1", "Expect: 100-CONTINUE");

  const lines = ["POST / HTTP/1.1", "Host: a.example", "Content-Length: 1", ...OURS];
  expect(forward(text)).toBe(head(...lines));
  expect(forward(text, { expectContinue: true })).toBe(head(...lines, "Expect: 100-continue"));
});

describe("TRACE and OPTIONS", () => {
  test("TRACE goes on without credentials, which the gateway still sees", () => {
    const text = head(
      "TRACE / HTTP/1.1",
      "Host: a.example",
      "Cookie: a",
      "Authorization: b",
      "C: d",
    );

    expect(forward(text)).toBe(head("TRACE / HTTP/1.1", "Host: a.example", "C: d", ...OURS));
    expect(readRequest(text).field("cookie")).toBe("a");
  });

  const HOPS: [sent: string, goesOn: string][] = [
    ["Max-Forwards: 10", "Max-Forwards: 9"],
    ["max-forwards: 1", "Max-Forwards: 0"],
    ["Max-Forwards: 0", "Max-Forwards: 0"],
    ["Max-Forwards: x", "Max-Forwards: x"],
  ];

  test.each(HOPS)("OPTIONS with %s goes on with %s", (sent, goesOn) => {
    const text = head("OPTIONS * HTTP/1.1", "Host: a.example", sent);

    expect(forward(text)).toBe(head("OPTIONS * HTTP/1.1", "Host: a.example", goesOn, ...OURS));
  });

  test("OPTIONS without a limit goes on without", () => {
    const text = head("OPTIONS / HTTP/1.1", "Host: a.example");

    expect(forward(text)).toBe(head("OPTIONS / HTTP/1.1", "Host: a.example", ...OURS));
  });

  test("GET with a limit keeps it", () => {
    expect(forward(get("Max-Forwards: 1"))).toBe(
      head("GET / HTTP/1.1", "Host: a.example", "Max-Forwards: 1", ...OURS),
    );
  });
});

test("lines of one client's request never go on with that of another", () => {
  const clients: [host: string, of: Partial<Forwarding>, element: string][] = [
    ["a.example", {}, "for=192.0.2.7;host=a.example;proto=http"],
    ["b.example", {}, "for=192.0.2.7;host=b.example;proto=http"],
    ["b.example", { clientAddress: "192.0.2.8" }, "for=192.0.2.8;host=b.example;proto=http"],
    ["b.example", { scheme: "https" }, "for=192.0.2.7;host=b.example;proto=https"],
    ["b.example", { localPort: 81 }, "for=192.0.2.7;host=b.example;proto=http"],
    ["b.example", { localPort: 0 }, "for=192.0.2.7;host=b.example;proto=http"],
  ];

  for (const [host, of, element] of [...clients, ...clients.toReversed()]) {
    const { clientAddress, scheme, localPort } = { ...FORWARDING, ...of };
    expect(forward(head("GET / HTTP/1.1", `Host: ${host}`), of)).toBe(
      head(
        "GET / HTTP/1.1",
        `Host: ${host}`,
        `X-Forwarded-For: ${clientAddress}`,
        `X-Forwarded-Proto: ${scheme}`,
        `X-Forwarded-Host: ${host}`,
        ...(localPort === 0 ? [] : [`X-Forwarded-Port: ${localPort}`]),
        `Forwarded: ${element}`,
        "Via: 1.1 understudy",
        "X-Request-Id: r1",
      ),
    );
  }
});
