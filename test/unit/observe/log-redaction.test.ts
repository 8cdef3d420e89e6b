import { describe, expect, test } from "vitest";
import { logFormatOf } from "../../../src/observe/log-formats.ts";
import { redactor } from "../../../src/observe/log-redaction.ts";
import { exchangeRecord } from "../../support/exchange-records.ts";

describe("the query", () => {
  test.each([
    [["token"], "/a?token=s3cret&page=2", "/a?token=***&page=2"],
    [["token"], "/a?page=2&token=s3cret", "/a?page=2&token=***"],
    [["token"], "/a?a=1;token=s3cret", "/a?a=1;token=***"],
    [["token"], "/a?%74oken=s3cret", "/a?%74oken=***"],
    [["token"], "/a?token=a=b", "/a?token=***"],
    [["token"], "/a?tokens=1&token", "/a?tokens=1&token"],
    [["token"], "/a?%zz=1&token=x", "/a?%zz=1&token=***"],
    [["a b"], "/a?a+b=1", "/a?a+b=***"],
    [["*"], "/a?x=1&y=2", "/a?x=***&y=***"],
    [["token"], "/token=1", "/token=1"],
  ])("with %j hidden %s becomes %s", (query, target, expected) => {
    expect(redactor({ query, headers: [] })(exchangeRecord({ target })).target).toBe(expected);
  });

  test("is hidden in Referer and Location, too", () => {
    const record = redactor({ query: ["token"], headers: [] })(
      exchangeRecord(
        {},
        {
          request: { referer: "https://shop.example/in?token=s3cret", host: "shop.example" },
          answer: { location: "/next?token=s3cret", via: "x" },
        },
      ),
    );

    expect(record.requestField("referer")).toBe("https://shop.example/in?token=***");
    expect(record.requestField("host")).toBe("shop.example");
    expect(record.answerField("location")).toBe("/next?token=***");
    expect(record.answerField("via")).toBe("x");
  });
});

test("header fields show whether they were there, not what they held", () => {
  const request = { authorization: "Bearer s3cret" };
  const record = redactor({ query: [], headers: ["authorization", "set-cookie", "cookie"] })(
    exchangeRecord({}, { request, answer: { "set-cookie": "id=s3cret" } }),
  );
  const { exchange } = logFormatOf("$http_authorization $http_cookie $upstream_http_set_cookie");

  expect(exchange(record)).toBe("*** - ***");
});

test("nothing else changes", () => {
  const record = exchangeRecord();
  const { exchange } = logFormatOf("json");

  expect(exchange(redactor({ query: ["x"], headers: ["x"] })(record))).toBe(exchange(record));
});
