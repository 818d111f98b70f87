// Prints all about every destination of a bundle, as JSON: `deno run ... describe.mjs FOLDER`.
//
//   {destinations: [{type, slug, name, ...}], failed: [{type, message}], cache}
//
// `cache` is the compiled code of the bundle's core, in base64: with it a worker is ready in half the time. Functions
// are left out, or `true` where it matters only that there is one. A value that is missing in a condition is one that
// must be missing in the payload.

import { Buffer } from "node:buffer";
import process from "node:process";
import { open } from "./bundle.mjs";

const bundle = open(Deno.args[0]);
const { core, destinations } = bundle.instance({}, false);
const { Destination } = core();
const cache = bundle.cache();

function plain(_, value) {
  if (typeof value === "function") return true;
  return value instanceof RegExp ? String(value) : value;
}

function authentication(given) {
  if (given === undefined) return { scheme: "none", settings: {} };
  const { scheme, fields, testAuthentication, refreshAccessToken } = given;
  return { scheme, settings: fields ?? {}, hasTest: testAuthentication !== undefined, hasRefresh: refreshAccessToken !== undefined };
}

function action([name, it]) {
  const { title, description, defaultSubscription, hidden, syncMode, performBatch, fields, dynamicFields, hooks } = it;
  const shown = { name, title, description, defaultSubscription, hidden, syncMode, fields };
  return {
    ...shown,
    hasPerformBatch: performBatch !== undefined,
    dynamicFields: Object.keys(dynamicFields ?? {}),
    hooks: Object.keys(hooks ?? {}),
  };
}

function described(type) {
  const it = destinations[type]();
  new Destination(it); // compiles what its fields and settings are checked with
  return {
    type,
    slug: it.slug,
    name: it.name,
    mode: it.mode,
    ...authentication(it.authentication),
    presets: it.presets ?? [],
    actions: Object.entries(it.actions).map(action),
    hasDelete: it.onDelete !== undefined,
    audience: it.audienceConfig && { ...it.audienceConfig, fields: it.audienceFields ?? {} },
  };
}

const found = { destinations: [], failed: [], cache: Buffer.from(cache).toString("base64") };
for (const type of Object.keys(destinations)) {
  try {
    found.destinations.push(described(type));
  } catch (error) {
    found.failed.push({ type, message: String(error?.message ?? error) });
  }
}
process.stdout.write(JSON.stringify(found, plain));
