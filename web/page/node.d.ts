// The client reads files where it runs in Node; the page never does.
declare module "node:fs/promises" {
  export function readFile(path: URL): Promise<Uint8Array>;
}
