// Passes connections on to a server and keeps every byte that went to it.
import { once } from "node:events";
import { connect, createServer } from "node:net";

export async function record(url) {
  const { hostname, port } = new URL(url);
  const sent = [];
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    client.on("data", (bytes) => sent.push(bytes));
    client.pipe(server).pipe(client);
    for (const end of [client, server]) end.on("error", () => (client.destroy(), server.destroy()));
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return { url: `http://127.0.0.1:${proxy.address().port}`, sent: () => Buffer.concat(sent), close: () => proxy.close() };
}
