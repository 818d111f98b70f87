// Bundles src/ into OUT: analytics.js without its end, which the server adds with the settings (relay/browser/library.py),
// and the same in brotli, flushed and not finished.
//
//     node build.mjs OUT VERSION
//
// esbuild bundles; uglify-js, which it is followed by, makes the result 500 bytes smaller in gzip.

import { build } from "esbuild"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { constants, createBrotliCompress } from "node:zlib"
import { minify } from "uglify-js"

const [out, version] = process.argv.slice(2)

const how = {
  bundle: true,
  minify: true,
  write: false,
  format: "esm",
  target: ["chrome103", "edge103", "firefox104", "safari16"], // of 2022: the first with all that is used
  define: { RELAY_VERSION: JSON.stringify(version) },
  legalComments: "none",
}
const { outputFiles } = await build({ ...how, entryPoints: [fileURLToPath(new URL("src/main.ts", import.meta.url))] })
// properties that no page sees, and that are in no event
const own =
  /^(isBusy|isHeld|settle|adopt|letGo|release|isShared|grants|grantsLoading|grantsSending|stamp|registerRemote|addMiddleware)$/
const { code, error } = minify(outputFiles[0].text, {
  toplevel: true,
  compress: { passes: 3, inline: 1 },
  mangle: { properties: { regex: own } },
})
if (error) throw error
// Chromium compiles all of it while it arrives, beside the page, and not function by function when it runs
const script = Buffer.from(`//# allFunctionsCalledOnLoad\n(RELAY=>{${code.replace(/;$/, "")}})(`)

const parts = []
const brotli = createBrotliCompress({
  params: {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
  },
})
brotli.on("data", (part) => parts.push(part))
brotli.write(script)
await new Promise((done) => brotli.flush(constants.BROTLI_OPERATION_FLUSH, done))

mkdirSync(out, { recursive: true })
writeFileSync(`${out}/analytics.js.part`, script)
writeFileSync(`${out}/analytics.js.br.part`, Buffer.concat(parts))

// what runs before analytics.js, as an expression: consent-NAME.js
const managers = fileURLToPath(new URL("consent/", import.meta.url))
for (const name of readdirSync(managers)) {
  const { outputFiles } = await build({ ...how, entryPoints: [managers + name], format: "iife" })
  const code = outputFiles[0].text.trim().replace(/^"use strict";|;$/g, "")
  writeFileSync(`${out}/consent-${name.replace(".ts", ".js")}`, code)
}

// plug-ins of device mode: those that are complete, plugin-TYPE.js
const plugins = fileURLToPath(new URL("plugins/", import.meta.url))
const shared = ["common.ts", "gtag.ts"]
for (const name of readdirSync(plugins).filter((name) => !shared.includes(name))) {
  const { outputFiles } = await build({ ...how, entryPoints: [plugins + name], format: "iife" })
  writeFileSync(`${out}/plugin-${name.replace(".ts", ".js")}`, outputFiles[0].contents)
}
