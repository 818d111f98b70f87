// The bundle: read, compiled, and given a world of its own.
//
// It is one function of (require, process, Date, host, __dirname) that gives {core, destinations}, each made when it
// is first asked for. So it needs no permission but to read its files: its `process.env` is what relay gave, its
// HTTP is `host`, and what it would like to know of the machine is nothing. A second instance costs no
// compiling. There is one for each environment, since some modules read it once and remember.

import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import vm from "node:vm";
import { fetch, handle } from "./http.mjs";

export const calls = new AsyncLocalStorage(); // {http, now} of the call that the running code belongs to

const builtin = createRequire("/");

/** node:os without a question to the machine. */
function machine() {
  const asked = { homedir: () => "/", hostname: () => "relay", release: () => "", cpus: () => [], tmpdir: () => "/" };
  return { ...builtin("node:os"), ...asked, userInfo: () => ({}), networkInterfaces: () => ({}) };
}

/** A clock that stands where the call says. */
const Fixed = class Date extends globalThis.Date {
  constructor(...given) {
    if (given.length === 0) super(Fixed.now());
    else super(...given);
  }

  static now() {
    return calls.getStore()?.now ?? globalThis.Date.now();
  }
};

const request = () => {
  const call = calls.getStore();
  if (call === undefined) throw new Error("a request outside a call");
  return call.http;
};
const host = { fetch: (input, init) => fetch(request(), input, init), handle: (asked) => handle(request(), asked) };

process.noDeprecation = true; // some packages are old, and stderr is for what went wrong

function compiled(folder) {
  const source = readFileSync(`${folder}/bundle.js`, "latin1"); // esbuild writes ASCII
  let cachedData;
  try {
    cachedData = readFileSync(`${folder}/bundle.cache`); // V8 ignores it when it is not its own
  } catch {
    // compiled anew: 0.1 s
  }
  return new vm.Script(source, { filename: "bundle.js", cachedData });
}

function instantiate(make, env, isFixed) {
  const seen = { __proto__: process, env, getuid: undefined, geteuid: undefined };
  const own = { os: machine(), process: seen };
  const require = (name) => {
    const plain = name.replace(/^node:/, "");
    return Object.hasOwn(own, plain) ? own[plain] : builtin(`node:${plain}`);
  };
  return make(require, seen, isFixed ? Fixed : Date, host, "/");
}

/** The bundle of a folder; `instance(env, isFixed)` gives {core, destinations}, `cache()` its compiled code. */
export function open(folder) {
  const script = compiled(folder);
  const make = script.runInThisContext();
  const instances = new Map();
  return {
    instance(env, isFixed) {
      const key = JSON.stringify([isFixed, Object.entries(env).sort()]);
      if (!instances.has(key)) instances.set(key, instantiate(make, { ...env }, isFixed));
      return instances.get(key);
    },
    cache: () => script.createCachedData(),
  };
}
