import { describe, expect, test } from "vitest";
import type { RequestHead } from "../../../src/http1/request-head.ts";
import { opensSession, readHandshake, sessionIdOf } from "../../../src/proxy/engine-io.ts";
import { head, readRequest } from "../http1/heads.ts";

const OPEN = '{"sid":"Ab-_1","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}';
const READ = { sid: "Ab-_1", silenceMs: 45_000 };

describe("the open packet at the beginning of a body", () => {
  test.each<[string, string, object | undefined]>([
    ["protocol 4", `0${OPEN}`, READ],
    ["protocol 4 with a packet behind it", `0${OPEN}\u001e40{"sid":"other"}`, READ],
    ["protocol 3", `${OPEN.length + 1}:0${OPEN}2:40`, READ],
    ["protocol 3 in bytes", `\u0000\u0008\u0004\u00ff0${OPEN}\u0000\u0002\u00ff40`, READ],
    ["other keys and order", '0{"a":"}\\"{","pingTimeout":1,"sid":"s"}', { sid: "s" }],
    ["a sid beyond ASCII", '0{"sid":"\u00c3\u00a4"}', { sid: "\u00e4" }],
    ["no times", '0{"sid":"s","pingInterval":-1,"pingTimeout":0}', { sid: "s" }],
    ["a part", `0${OPEN.slice(0, -1)}`, undefined],
    ["nothing", "", undefined],
    ["no sid", '0{"pingInterval":1}', undefined],
    ["an empty sid", '0{"sid":""}', undefined],
    ["a sid that is no text", '0{"sid":7}', undefined],
    ["a sid too long", `0{"sid":"${"s".repeat(257)}"}`, undefined],
    ["another packet", `4${OPEN}`, undefined],
    ["a packet behind others", `6\u001e0${OPEN}`, undefined],
    ["an error", '{"code":0,"message":"Transport unknown"}', undefined],
    ["no JSON", "0{sid}", undefined],
    ["a page", "<!doctype html>", undefined],
  ])("%s", (_, body, handshake) => {
    expect(readHandshake(body)).toEqual(handshake);
  });

  test("is looked for in linear time", () => {
    const began = performance.now();

    readHandshake(`0{"${"\\".repeat(4095)}`);
    readHandshake(`0{${'"",'.repeat(1300)}`);

    expect(performance.now() - began).toBeLessThan(100);
  });
});

test.each<[string, string, string | undefined]>([
  ["GET", "/socket.io/?EIO=4&transport=polling&sid=Ab-_1", "Ab-_1"],
  ["POST", "/socket.io/?sid=Ab-_1&EIO=4", "Ab-_1"],
  ["GET", "/?sid=a%2Fb%C3%A4", "a/b\u00e4"],
  ["OPTIONS", "/socket.io/?sid=Ab-_1", undefined],
  ["GET", "/socket.io/?EIO=4&transport=polling", undefined],
  ["GET", "/?sid=", undefined],
  ["GET", "/?sid=%E4", undefined],
  ["GET", `/?sid=${"s".repeat(257)}`, undefined],
  ["GET", "/?psid=a", undefined],
  ["GET", "/sid=a", undefined],
])("%s %s belongs to the session %j", (method, target, sid) => {
  expect(sessionIdOf(request(method, target))).toBe(sid);
});

test.each<[string, string, boolean]>([
  ["GET", "/socket.io/?EIO=4&transport=polling&t=x", true],
  ["GET", "/socket.io/?transport=polling&b64=1&EIO=3", true],
  ["GET", "/socket.io/?EIO=4&transport=polling&sid=a", false],
  ["GET", "/socket.io/?EIO=4&transport=websocket", false],
  ["GET", "/socket.io/?EIO=5&transport=polling", false],
  ["GET", "/?transport=polling", false],
  ["POST", "/socket.io/?EIO=4&transport=polling", false],
  ["GET", "/", false],
])("%s %s opens a session by polling: %j", (method, target, opens) => {
  expect(opensSession(request(method, target))).toBe(opens);
});

function request(method: string, target: string): RequestHead {
  return readRequest(head(`${method} ${target} HTTP/1.1`, "Host: a.example"), 1024);
}
