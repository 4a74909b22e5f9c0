// A real `fhectl serve`, with all committed models unless others are named.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
export const FHECTL = process.env.FHECTL ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "release/fhectl");

export class Server {
  /** Starts one; `arguments_` are those of `fhectl serve`. */
  static async start(arguments_ = []) {
    const server = new Server();
    server.arguments = arguments_;
    await server.#run("127.0.0.1:0");
    return server;
  }

  async #run(listen) {
    const given = ["serve", "--listen", listen, "--timing-headers", ...this.arguments];
    if (!given.includes("--store")) given.push("--store", "memory:");
    this.process = spawn(FHECTL, given, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, FHECTL_LOG: "warn" } });
    this.log = "";
    this.process.stderr.on("data", (text) => (this.log += text));
    this.exited = once(this.process, "exit");
    for await (const line of createInterface(this.process.stdout)) {
      const url = /^listening on (.*)$/.exec(line)?.[1];
      if (!url) continue;
      this.url = url.replace("0.0.0.0", "127.0.0.1");
      return;
    }
    throw new Error(`the server did not start: ${this.log}`);
  }

  /** The URL of a model. */
  model(name) {
    return `${this.url}/v1/models/${name}`;
  }

  async stop() {
    this.process.kill("SIGKILL");
    await this.exited;
  }

  /** As a crash and a restart: the same port, nothing in memory any more. */
  async restart() {
    await this.stop();
    await this.#run(new URL(this.url).host);
  }
}

/** Runs `fhectl` to its end, with nothing of the machine's own keys. */
export async function fhectl(...arguments_) {
  const env = { ...process.env, FHECTL_KEYS: workFolder("keys") };
  const child = spawn(FHECTL, arguments_, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], env });
  let [out, err] = ["", ""];
  child.stdout.on("data", (text) => (out += text));
  child.stderr.on("data", (text) => (err += text));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`fhectl ${arguments_.join(" ")}: ${code}\n${err}`);
  return out;
}

const folders = [];
process.on("exit", () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder that is gone when the tests end. */
export function workFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `fhectl-${name}-`));
  folders.push(folder);
  return folder;
}
