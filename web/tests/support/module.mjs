// A file of the page by itself, for functions that no view reaches alone.
import { join } from "node:path";
import { build } from "esbuild";
import { ROOT } from "./server.mjs";

/** The exports of a file of web/page/src. */
export async function exportsOf(file) {
  const entry = join(ROOT, "web/page/src", file);
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", write: false, external: ["node:fs/promises"] });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
