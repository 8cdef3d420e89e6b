import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";

/** What Node's parser made of the bytes. */
export interface Parsed {
  /** `METHOD target` or `status reason`. */
  readonly start: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** As latin1. */
  readonly body: string;
}

export interface ParsedMessages {
  readonly messages: readonly Parsed[];
  /** Code of the error that ended the reading, "" where there was none. */
  readonly code: string;
}

/** A node:http server that tells what it makes of the bytes of one connection. */
export async function startLlhttpServer() {
  let messages: Parsed[] = [];
  let code = "";
  const options = { insecureHTTPParser: false, requireHostHeader: true, keepAliveTimeout: 0 };
  const server = http.createServer(options, (request, response) => {
    collect(request, (body) => {
      const start = `${request.method} ${request.url}`;
      messages.push({ start, rawHeaders: request.rawHeaders, body });
      response.end();
    });
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    code ||= error.code ?? "error";
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    async read(text: string): Promise<ParsedMessages> {
      messages = [];
      code = "";
      const socket = net.connect(portOf(server), "127.0.0.1");
      socket.on("error", () => {});
      socket.resume();
      socket.end(text, "latin1");
      await once(socket, "close");
      return { messages, code };
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** A node:http client that tells what it makes of the bytes that a server sends and ends. */
export async function startLlhttpClient() {
  let answer = "";
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(answer, "latin1"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    read(text: string, method: string): Promise<ParsedMessages> {
      answer = text;
      return new Promise((resolve) => {
        const messages: Parsed[] = [];
        const request = http.request({ port: portOf(server), method, agent: false });
        const fail = (error: NodeJS.ErrnoException): void => {
          resolve({ messages, code: error.code ?? "error" });
        };
        request.on("error", fail);
        request.on("information", (info) => {
          const start = `${info.statusCode} ${info.statusMessage}`;
          messages.push({ start, rawHeaders: info.rawHeaders, body: "" });
        });
        request.on("upgrade", (response, socket) => {
          socket.destroy();
          messages.push({ ...answerOf(response), body: "" });
          resolve({ messages, code: "" });
        });
        request.on("response", (response) => {
          response.on("error", fail);
          collect(response, (body) => {
            messages.push({ ...answerOf(response), body });
            resolve({ messages, code: "" });
          });
        });
        request.end();
      });
    },
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

function answerOf(response: http.IncomingMessage) {
  const start = `${response.statusCode} ${response.statusMessage}`;
  return { start, rawHeaders: response.rawHeaders };
}

function collect(message: http.IncomingMessage, end: (body: string) => void): void {
  let body = "";
  message.setEncoding("latin1");
  message.on("data", (part: string) => {
    body += part;
  });
  message.on("end", () => end(body));
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
