import * as http from "node:http";
import * as fc from "fast-check";

// Messages are latin1 text: a character is a byte.

/** Methods that Node's parser knows; what it treats apart is left out. */
const METHODS = http.METHODS.filter((method) => !["CONNECT", "TRACE", "PRI"].includes(method));

const TOKEN = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz";
const VALUE = '\t !"#,;:=/?@[]{}()azAZ09\u0080\u00e4\u00ff';
const TARGET = "/?&=%.~:@!$'()*+,;[]{}|^\"\\azAZ09";

function textOf(characters: string, minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...characters.split("")), minLength, maxLength });
}

const target = textOf(TARGET, 0, 20).map((rest) => `/${rest}`);
const requestTarget = fc.oneof(
  { weight: 6, arbitrary: target },
  { weight: 1, arbitrary: target.map((path) => `http://b.example:81${path}`) },
);

const blanks = textOf(" \t", 0, 2);
const fieldLine = fc
  .tuple(
    fc.oneof(
      textOf(TOKEN, 1, 12).map((name) => `X-${name}`),
      fc.constantFrom("Accept", "cookie", "User-Agent", "Via", "X-Forwarded-For", "TE", "Pragma"),
    ),
    blanks,
    textOf(VALUE, 0, 16),
    blanks,
  )
  .map(([name, before, value, after]) => `${name}:${before}${value}${after}\r\n`);

const body = textOf("\r\n0a;: GETHP/1.", 0, 24);

const extension = fc.constantFrom("", ";a", ";a=b", ';a="b;\\"c"', ";a;b=c");
const chunk = fc
  .tuple(textOf("\r\n0a;: GETHP/1.", 1, 20), extension, fc.boolean())
  .map(([content, ext, upper]) => {
    const size = content.length.toString(16);
    return `${upper ? size.toUpperCase() : size}${ext}\r\n${content}\r\n`;
  });
const chunks = fc
  .tuple(fc.array(chunk, { maxLength: 3 }), extension, fc.array(fieldLine, { maxLength: 2 }))
  .map(([list, ext, trailers]) => `${list.join("")}0${ext}\r\n${trailers.join("")}\r\n`);

/** A framing line and the body that it frames. */
const framed = fc.oneof(
  fc.constant(["", ""] as const),
  body.map((text) => [`Content-Length: ${text.length}\r\n`, text] as const),
  chunks.map((text) => ["Transfer-Encoding: chunked\r\n", text] as const),
);

const connection = fc.constantFrom(
  "",
  "",
  "",
  "Connection: keep-alive\r\n",
  "Connection: close\r\n",
);

const request = fc
  .record({
    before: fc.constantFrom("", "", "\r\n"),
    method: fc.constantFrom("GET", "POST", ...METHODS),
    target: requestTarget,
    fields: fc.array(fieldLine, { maxLength: 4 }),
    connection,
    framed,
  })
  .map(({ before, method, target, fields, connection, framed: [framing, content] }) => {
    const line = `${before}${method} ${target} HTTP/1.1\r\nHost: a.example\r\n`;
    return `${line}${fields.join("")}${framing}${connection}\r\n${content}`;
  });

const oldRequest = fc
  .tuple(target, fc.array(fieldLine, { maxLength: 3 }), body)
  .map(
    ([target, fields, content]) =>
      `POST ${target} HTTP/1.0\r\n${fields.join("")}Content-Length: ${content.length}\r\n\r\n${content}`,
  );

/** One request, or two behind one another. */
export const requests: fc.Arbitrary<string> = fc.oneof(
  request,
  fc.tuple(request, request).map((pair) => pair.join("")),
  oldRequest,
);

const statusLine = fc.oneof(
  fc.constantFrom("200 OK", "200 ", "200", "404 Not Found", "503 \u00e4 b", "599 x"),
  fc.constantFrom("204 No Content", "304 Not Modified", "205 Reset Content"),
);

/** An answer, perhaps behind an interim one. */
export const answers: fc.Arbitrary<string> = fc
  .record({
    interim: fc.constantFrom("", "", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    statusLine,
    fields: fc.array(fieldLine, { maxLength: 4 }),
    connection,
    framed,
    rest: fc.constantFrom("", "", "to the end"),
  })
  .map(({ interim, statusLine, fields, connection, framed: [framing, content], rest }) => {
    const tail = framing === "" ? rest : content;
    return `${interim}HTTP/1.1 ${statusLine}\r\n${fields.join("")}${framing}${connection}\r\n${tail}`;
  });

const SNIPPETS = [
  ...'\r|\n|\r\n|\0|\t| |:|;|,|=|"|#|0|1|5|a|f|g|_|-|+|x|\x7f|\x80|\xff|\x0b|\x0c|//|@'.split("|"),
  "\r\n\r\n",
  "\r\n ",
  "\n\n",
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "Content-Length: 5, 5\r\n",
  "content-length:+1\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: chunked, identity\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Transfer-Encoding: \x0bchunked\r\n",
  "Transfer-Encoding : chunked\r\n",
  "Transfer-Encoding\r\n",
  "Host: evil.example\r\n",
  "Host: a b\r\n",
  "Expect: 100-continue\r\n",
  "Upgrade: websocket\r\nConnection: upgrade\r\n",
  "Connection: keep-alive, x\r\n",
  "A: b\r\n c\r\n",
  "A : b\r\n",
  ": b\r\n",
  "GET / HTTP/1.1\r\n",
  "HTTP/1.0",
  "HTTP/2.0",
  "0\r\n\r\n",
  "0x5\r\n",
  "ffffffffffffffff\r\n",
  ";a= b\r\n",
];

interface Edit {
  /** Where, as a share of the text. */
  readonly at: number;
  /** Characters taken away. */
  readonly less: number;
  readonly more: string;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  less: fc.constantFrom(0, 0, 1, 1, 2, 5),
  more: fc.oneof(fc.constantFrom(...SNIPPETS), fc.constant("")),
});

/** `messages` with one to three faults at any place, often at the beginning of a line. */
export function faulty(messages: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(messages, fc.array(fc.tuple(edit, fc.boolean()), { minLength: 1, maxLength: 3 }))
    .map(([text, edits]) =>
      edits.reduce((result, [one, atLine]) => apply(result, one, atLine), text),
    );
}

function apply(text: string, { at, less, more }: Edit, atLine: boolean): string {
  const place = Math.floor(at * text.length);
  const start = atLine ? text.indexOf("\r\n", place) + 2 : place;
  return text.slice(0, start) + more + text.slice(start + less);
}
