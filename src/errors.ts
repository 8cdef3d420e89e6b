/** What the gateway itself may answer: code -> HTTP status and the sentence that the client reads. */
export const ERRORS = {
  BAD_REQUEST: { status: 400, message: "the request is not valid HTTP" },
  UNKNOWN_SESSION: { status: 400, message: "Session ID unknown" },
  NO_ROUTE: { status: 404, message: "nothing is served at this host and path" },
  METHOD_NOT_ALLOWED: { status: 405, message: "this method is not passed on" },
  REQUEST_TIMEOUT: { status: 408, message: "the request did not arrive in time" },
  BODY_TOO_LARGE: { status: 413, message: "the request body is larger than allowed" },
  URI_TOO_LONG: { status: 414, message: "the request target is longer than allowed" },
  EXPECTATION_FAILED: { status: 417, message: "the expectation of this request is not known" },
  HEAD_TOO_LARGE: { status: 431, message: "the request head is larger than allowed" },
  CLIENT_GONE: { status: 499, message: "the client went away" },
  NOT_IMPLEMENTED: { status: 501, message: "this transfer coding is not known" },
  SERVER_FAILED: { status: 502, message: "no server gave a usable answer" },
  NO_SERVER: { status: 502, message: "no server is available" },
  MAINTENANCE: { status: 503, message: "this application is in maintenance" },
  HELD: { status: 503, message: "nobody could take the request in the time that it may wait" },
  STOPPING: { status: 503, message: "the gateway is stopping" },
  NO_POOL: { status: 503, message: "nothing is deployed here yet" },
  OVERLOADED: { status: 503, message: "the gateway has more to do than it can" },
  SERVER_TIMEOUT: { status: 504, message: "no server answered in time" },
  VERSION_NOT_SUPPORTED: { status: 505, message: "only HTTP/1.0 and HTTP/1.1 are spoken here" },
  NO_STORAGE: { status: 507, message: "there is no room to keep the request body" },
} as const satisfies Record<string, { readonly status: number; readonly message: string }>;

export type ErrorCode = keyof typeof ERRORS;
