// Fills OUT with what the console's pages load: htmx and uPlot as they are published, and our own scripts.
//
//     node build.mjs OUT VERSION

import { build } from "esbuild"
import { copyFileSync, existsSync, mkdirSync } from "node:fs"
import { fileURLToPath } from "node:url"

const [out] = process.argv.slice(2)
const here = (path) => fileURLToPath(new URL(path, import.meta.url))

mkdirSync(out, { recursive: true })
for (const [published, name] of [
  ["htmx.org/dist/htmx.min.js", "htmx.js"],
  ["htmx.org/dist/ext/hx-sse.min.js", "hx-sse.js"],
  ["uplot/dist/uPlot.iife.min.js", "uplot.js"],
  ["uplot/dist/uPlot.min.css", "uplot.css"],
]) {
  copyFileSync(here(`node_modules/${published}`), `${out}/${name}`)
}
await build({
  entryPoints: ["console.ts", "charts.ts"].map((name) => here(name)).filter((file) => existsSync(file)),
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome123", "edge123", "firefox120", "safari17.5"], // the first with light-dark()
})
