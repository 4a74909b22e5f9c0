// Passes connections on to a server, keeps every byte that went to it, and may change what comes back.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { Transform } from "node:stream";

/** `answered` is given what was sent so far on a connection and a piece of the reply, and returns what the client gets. */
export async function record(url, answered = (_, reply) => reply) {
  const { hostname, port } = new URL(url);
  const sent = [];
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    const asked = [];
    client.on("data", (bytes) => (sent.push(bytes), asked.push(bytes)));
    const back = new Transform({ transform: (bytes, _, done) => done(null, answered(Buffer.concat(asked), bytes)) });
    client.pipe(server).pipe(back).pipe(client);
    for (const end of [client, server]) end.on("error", () => (client.destroy(), server.destroy()));
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return { url: `http://127.0.0.1:${proxy.address().port}`, sent: () => Buffer.concat(sent), close: () => proxy.close() };
}
