import { createServer } from "node:http";
import { Server } from "socket.io";

/** A Socket.IO server as a process of its own: `socketio-app.ts NAME`. Says `ready PORT`. */
const name = process.argv[2] ?? "app";
const http = createServer((_, answer) => answer.end(name));
const io = new Server(http, { allowEIO3: true, maxHttpBufferSize: 10_000_000 });

io.on("connection", (socket) => {
  socket.on("who", (tell: (name: string) => void) => tell(name));
  socket.on("echo", (value: unknown, tell: (value: unknown) => void) => tell(value));
  socket.on("ask me", (count: number, tell: (sum: number) => void) => {
    let sum = 0;
    let left = count;
    for (let n = 1; n <= count; n++) {
      socket.emit("question", n, (answer: number) => {
        sum += answer;
        left -= 1;
        if (left === 0) tell(sum);
      });
    }
  });
  socket.on("join", async (room: string, tell: () => void) => {
    await socket.join(room);
    tell();
  });
  socket.on("say", (room: string, words: string) => io.to(room).emit("said", words));
});

http.listen(0, "127.0.0.1", () => {
  const address = http.address();
  const port = typeof address === "string" ? undefined : address?.port;
  process.stdout.write(`ready ${port}\n`);
});
