// Fills OUT with what the console's pages load: htmx and uPlot as they are published, and our own scripts.
//
//     node build.mjs OUT VERSION

import { build } from "esbuild"
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const [out] = process.argv.slice(2)
const here = (path) => fileURLToPath(new URL(path, import.meta.url))

mkdirSync(out, { recursive: true })
for (const [published, name] of [
  ["uplot/dist/uPlot.iife.min.js", "uplot.js"],
  ["uplot/dist/uPlot.min.css", "uplot.css"],
]) {
  copyFileSync(here(`node_modules/${published}`), `${out}/${name}`)
}
// in one file: htmx looks at a page in a task of its own after it ran, and an extension must be there by then
const parts = ["htmx.min.js", "ext/hx-sse.min.js"].map((name) => readFileSync(here(`node_modules/htmx.org/dist/${name}`), "utf8"))
writeFileSync(`${out}/htmx.js`, parts.join(";\n"))
await build({
  entryPoints: ["console.ts", "charts.ts"].map((name) => here(name)).filter((file) => existsSync(file)),
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome123", "edge123", "firefox120", "safari17.5"], // the first with light-dark()
})
