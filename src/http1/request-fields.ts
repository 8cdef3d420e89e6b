import type { FieldSink } from "./field-scan.ts";
import type { KnownFields } from "./known-fields.ts";
import { knownFields } from "./known-fields.ts";

const KNOWN = knownFields([
  ["host connection content-length transfer-encoding expect upgrade forwarded", true, "never"],
  ["x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto", true, "never"],
  ["x-request-id", true, "never"],
  ["te keep-alive proxy-connection http2-settings", false, "never"],
  ["x-forwarded-* x-real-ip", false, "if-trusted"],
  ["sec-websocket-key user-agent referer traceparent tracestate", true, "always"],
]);

/**
 * The fields of a request that the gateway reads. One that is sent twice holds both values joined
 * by ", ", which none of those that may occur once takes for valid.
 */
export class RequestFields implements FieldSink {
  passed = "";

  claims = "";
  host: string | undefined;
  connection: string | undefined;
  contentLength: string | undefined;
  transferEncoding: string | undefined;
  expect: string | undefined;
  upgrade: string | undefined;
  webSocketKey: string | undefined;
  userAgent: string | undefined;
  referer: string | undefined;
  traceparent: string | undefined;
  tracestate: string | undefined;
  requestId: string | undefined;
  forwarded: string | undefined;
  forwardedFor: string | undefined;
  forwardedHost: string | undefined;
  forwardedPort: string | undefined;
  forwardedProto: string | undefined;

  get known(): KnownFields {
    return KNOWN;
  }

  take(name: string, value: string): void {
    switch (name) {
      case "host":
        this.host = join(this.host, value);
        return;
      case "connection":
        this.connection = join(this.connection, value);
        return;
      case "content-length":
        this.contentLength = join(this.contentLength, value);
        return;
      case "transfer-encoding":
        this.transferEncoding = join(this.transferEncoding, value);
        return;
      case "expect":
        this.expect = join(this.expect, value);
        return;
      case "upgrade":
        this.upgrade = join(this.upgrade, value);
        return;
      case "sec-websocket-key":
        this.webSocketKey = join(this.webSocketKey, value);
        return;
      case "user-agent":
        this.userAgent = join(this.userAgent, value);
        return;
      case "referer":
        this.referer = join(this.referer, value);
        return;
      case "traceparent":
        this.traceparent = join(this.traceparent, value);
        return;
      case "tracestate":
        this.tracestate = join(this.tracestate, value);
        return;
      case "x-request-id":
        this.requestId = join(this.requestId, value);
        return;
      case "forwarded":
        this.forwarded = join(this.forwarded, value);
        return;
      case "x-forwarded-for":
        this.forwardedFor = join(this.forwardedFor, value);
        return;
      case "x-forwarded-host":
        this.forwardedHost = join(this.forwardedHost, value);
        return;
      case "x-forwarded-port":
        this.forwardedPort = join(this.forwardedPort, value);
        return;
      case "x-forwarded-proto":
        this.forwardedProto = join(this.forwardedProto, value);
        return;
    }
  }
}

function join(values: string | undefined, value: string): string {
  return values === undefined ? value : `${values}, ${value}`;
}
