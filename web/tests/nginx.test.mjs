// The page through nginx with TLS, as deploy/nginx has it: two servers that share a store, HTTP only between them and nginx.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { answer, launch, open, openModel, predict } from "./support/browser.mjs";
import { ROWS } from "./support/data.mjs";
import { ROOT, Server, workFolder } from "./support/server.mjs";

const has = (command, ...given) => spawnSync(command, given).status === 0;
const skip = has("nginx", "-v") && has("openssl", "version") ? false : "left out: it wants nginx and openssl";

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

let browser, servers, nginx, url;
before(async () => {
  if (skip) return;
  const at = workFolder("nginx");
  const store = join(at, "store");
  browser = await launch();
  servers = [await Server.start(["--store", store]), await Server.start(["--store", store])];
  const port = await freePort();
  url = `https://localhost:${port}`;
  spawnSync("openssl", [..."req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out chain.pem".split(" ")], { cwd: at });
  const listen = `listen 127.0.0.1:${port} ssl;\nserver_name localhost;\nssl_certificate ${at}/chain.pem;\nssl_certificate_key ${at}/key.pem;\n`;
  writeFileSync(join(at, "fhectl-listen.inc"), listen);
  const upstream = servers.map((server) => `server ${new URL(server.url).host} max_fails=2 fail_timeout=5s;\n`);
  writeFileSync(join(at, "fhectl-servers.inc"), upstream.join(""));
  writeFileSync(join(at, "fhectl.conf"), readFileSync(join(ROOT, "deploy/nginx/fhectl.conf")));
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${at}/${name};`);
  const main = `daemon off;\n${user}\npid nginx.pid;\nerror_log error.log;\nworker_processes 1;\nevents {}\nhttp {\n${paths.join("\n")}\ninclude ${at}/fhectl.conf;\n}\n`;
  writeFileSync(join(at, "nginx.conf"), main);
  nginx = spawn("nginx", ["-p", at, "-e", join(at, "error.log"), "-c", join(at, "nginx.conf")], { stdio: "ignore" });
  for (let tries = 0; ; tries++) {
    if (has("openssl", "s_client", "-connect", `localhost:${port}`)) break;
    if (tries > 50) throw new Error(readFileSync(join(at, "error.log"), "utf8"));
    await new Promise((done) => setTimeout(done, 100));
  }
});
after(async () => {
  await browser?.close();
  nginx?.kill();
  for (const server of servers ?? []) await server.stop();
});

test("models answer through nginx with TLS, over two servers", { skip }, async () => {
  const page = await open(browser);
  for (const name of ["tree-spam", "tree-spam-leaf-sum", "qnn-iris", "cnn-digits"]) {
    await openModel(page, url, name);
    if (name === "cnn-digits") await page.getByRole("button", { name: "Draw an example: 3" }).click();
    await predict(page);
    const said = await answer(page);
    assert.ok(name === "cnn-digits" ? said === "3" : ROWS[name].classes.includes(said), `${name}: ${said}`);
  }
  assert.deepEqual(page.problems, []);
  await page.context().close();
});
