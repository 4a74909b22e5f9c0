// Builds the page into web/dist, or into the folder that is named: one script, one style sheet, index.html as it is; and the
// client by itself, for pages of others. Nothing is
// made short beyond recognition: what a browser runs can be read.
import { build } from "esbuild";
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "../dist");
mkdirSync(out, { recursive: true });
await build({
  entryPoints: { page: join(here, "src/main.ts"), client: join(here, "../client/src/index.ts") },
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  external: ["node:fs/promises"],
  outdir: out,
  logLevel: "warning",
});
for (const name of ["index.html", "page.css"]) copyFileSync(join(here, name), join(out, name));
