import type { FieldSink } from "./field-scan.ts";
import { knownFields } from "./known-fields.ts";
import type { KnownFields } from "./known-fields.ts";

const KNOWN = knownFields([
  ["connection keep-alive upgrade content-length transfer-encoding", true, "never"],
  ["te proxy-connection http2-settings", false, "never"],
  ["x-app-pool x-release-id retry-after", true, "always"],
]);

/** The fields of an answer that the gateway reads; one that is sent twice is joined by ", ". */
export class ResponseFields implements FieldSink {
  passed = "";
  claims = "";
  connection: string | undefined;
  keepAlive: string | undefined;
  contentLength: string | undefined;
  transferEncoding: string | undefined;
  upgrade: string | undefined;
  appPool: string | undefined;
  releaseId: string | undefined;
  retryAfter = false;

  get known(): KnownFields {
    return KNOWN;
  }

  take(name: string, value: string): void {
    switch (name) {
      case "connection":
        this.connection = join(this.connection, value);
        return;
      case "keep-alive":
        this.keepAlive = join(this.keepAlive, value);
        return;
      case "content-length":
        this.contentLength = join(this.contentLength, value);
        return;
      case "transfer-encoding":
        this.transferEncoding = join(this.transferEncoding, value);
        return;
      case "upgrade":
        this.upgrade = join(this.upgrade, value);
        return;
      case "x-app-pool":
        this.appPool = join(this.appPool, value);
        return;
      case "x-release-id":
        this.releaseId = join(this.releaseId, value);
        return;
      case "retry-after":
        this.retryAfter = true;
        return;
    }
  }
}

function join(values: string | undefined, value: string): string {
  return values === undefined ? value : `${values}, ${value}`;
}
