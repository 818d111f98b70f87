// The child's side of frames.py: `serve(handlers)` answers calls until stdin ends.
//
//   import { serve } from "./frames.mjs";
//   serve({ async event(message, { http }) { const reply = await http({ method: "GET", url }); return { ... }; } });
//
// `message.op` names the handler, which gets the message and { http }. What it returns is the answer; what it
// throws is sent as {name, message, code, status, stack}. `http(request)` asks relay to do a request and gives what
// relay answers; it works until the handler is done. console writes nothing, since stdout belongs to frames.
//
// Whoever runs other people's code beside this shares its realm with them, so what is used after start is taken
// before it. That keeps accidents away, no more: code that means harm can send what it likes, and relay kills
// the process for it. The process is the boundary.

const { frameBytes, requests: MOST_REQUESTS } = JSON.parse(Deno.args[0]);
const HEADER = 4;
const SHOWN = 4 * 1024; // characters of an error's text

const { Error, Map, Promise, String, Uint8Array } = globalThis;
const bound = (method) => Function.prototype.call.bind(method);
const { parse, stringify } = JSON;
const { exit } = Deno;
const read = Deno.stdin.read.bind(Deno.stdin);
const writeSync = Deno.stdout.writeSync.bind(Deno.stdout);
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const encode = encoder.encode.bind(encoder);
const decode = decoder.decode.bind(decoder);
const set = bound(Uint8Array.prototype.set);
const subarray = bound(Uint8Array.prototype.subarray);
const get = bound(Map.prototype.get);
const put = bound(Map.prototype.set);
const remove = bound(Map.prototype.delete);
const each = bound(Map.prototype.forEach);
const slice = bound(String.prototype.slice);
const includes = bound(String.prototype.includes);
const replace = bound(String.prototype.replace);
const then = bound(Promise.prototype.then);
const hasOwn = Object.hasOwn;

// JSON.stringify writes half a surrogate pair as an escape, which is no text: U+FFFD instead. The first
// alternative steps over an escaped backslash, which may stand before the letters "ud8..".
const LONE = /\\\\|\\ud[89a-f][0-9a-f]{2}/g;
const whole = (json) => (includes(json, "\\ud") ? replace(json, LONE, (one) => (one === "\\\\" ? one : "\\ufffd")) : json);

const calls = new Map(); // id -> { id, isOpen }
const waiting = new Map(); // rid -> { call, resolve, reject }
let lastRid = 0;
let openRequests = 0;
let queue = []; // requests that wait for one to be answered: relay takes MOST_REQUESTS at a time
let queueStart = 0;

function send(frame) {
  const body = encode(whole(stringify(frame)));
  if (body.length > frameBytes) {
    throw new RangeError(`${body.length} bytes, ${frameBytes} are allowed`);
  }
  const data = new Uint8Array(HEADER + body.length);
  for (let i = 0; i < HEADER; i++) data[i] = body.length >>> (8 * (HEADER - 1 - i));
  set(data, body, HEADER);
  for (let done = 0; done < data.length; ) done += writeSync(subarray(data, done));
}

function text(value) {
  return typeof value === "string" ? slice(value, 0, SHOWN) : "";
}

function plain(value) {
  return typeof value === "string" ? slice(value, 0, SHOWN) : typeof value === "number" && value - value === 0 ? value : undefined;
}

/** An error as it is sent. Nothing about it is sure: it may be any value, with getters that throw. */
function described(error) {
  try {
    if (error === null || typeof error !== "object") return { name: "Error", message: text(String(error)) };
    const { name, message, code, status, stack } = error;
    return {
      name: text(name) || "Error",
      message: text(message),
      code: plain(code),
      status: typeof status === "number" ? plain(status) : undefined,
      stack: text(stack),
    };
  } catch {
    return { name: "Error", message: "an error that cannot be shown" };
  }
}

function ask(call, request) {
  return new Promise((resolve, reject) => {
    if (!call.isOpen) return reject(new Error("a request after the answer"));
    queue[queue.length] = { call, request, resolve, reject };
    next();
  });
}

/** Send requests on as long as relay takes them. */
function next() {
  while (openRequests < MOST_REQUESTS && queueStart < queue.length) {
    const { call, request, resolve, reject } = queue[queueStart];
    queue[queueStart++] = undefined;
    if (!call.isOpen) continue;
    const rid = ++lastRid;
    try {
      send({ type: "http", id: call.id, rid, value: request });
    } catch (error) {
      reject(error);
      continue;
    }
    openRequests++;
    put(waiting, rid, { call, resolve, reject });
  }
  if (queueStart === queue.length) {
    queue = [];
    queueStart = 0;
  }
}

function reply({ rid, value, error }) {
  const request = get(waiting, rid);
  if (request === undefined) return;
  remove(waiting, rid);
  openRequests--;
  if (error === undefined) request.resolve(value);
  else request.reject(named(error));
  next();
}

function named({ name, message }) {
  const error = new Error(message);
  error.name = name;
  return error;
}

/** After this nothing more is said about `call`: relay has forgotten it, and its requests. */
function close(call) {
  call.isOpen = false;
  remove(calls, call.id);
  each(waiting, (request, rid) => {
    if (request.call !== call) return;
    remove(waiting, rid);
    openRequests--;
    request.reject(new Error("a request of a call that is over"));
  });
}

function answer(call, frame) {
  if (!call.isOpen) return;
  close(call);
  try {
    send({ ...frame, id: call.id });
  } catch (error) {
    send({ type: "error", id: call.id, error: described(error) });
  }
}

function run(handlers, { id, message }) {
  const call = { id, isOpen: true };
  put(calls, id, call);
  const http = (request) => ask(call, request);
  const handled = new Promise((resolve) => {
    if (!hasOwn(handlers, message.op)) throw new TypeError(`no handler for ${message.op}`);
    resolve(handlers[message.op](message, { http }));
  });
  then(
    handled,
    (value) => answer(call, { type: "ok", value: value === undefined ? null : value }),
    (error) => answer(call, { type: "error", error: described(error) }),
  );
}

function cancel({ id }) {
  const call = get(calls, id);
  if (call !== undefined) close(call);
}

function take(handlers, frame) {
  if (frame.type === "call") run(handlers, frame);
  else if (frame.type === "reply") reply(frame);
  else if (frame.type === "cancel") cancel(frame);
  else if (frame.type === "ping") send({ type: "pong", id: frame.id });
}

/** Give `handlers` the frames that come in, until stdin ends. */
async function listen(handlers) {
  let buffer = new Uint8Array(64 * 1024);
  let start = 0;
  let end = 0;
  for (;;) {
    let size = 0;
    while (end - start >= HEADER) {
      size = 0;
      for (let i = 0; i < HEADER; i++) size = size * 256 + buffer[start + i];
      if (end - start < HEADER + size) break;
      start += HEADER + size;
      take(handlers, parse(decode(subarray(buffer, start - size, start))));
    }
    const rest = subarray(buffer, start, end);
    if (HEADER + size > buffer.length) buffer = new Uint8Array(HEADER + size);
    set(buffer, rest);
    end -= start;
    start = 0;
    const count = await read(subarray(buffer, end));
    if (count === null) return;
    end += count;
  }
}

function prepare() {
  delete globalThis.Worker; // one thread is what a child is given
  const nothing = () => {};
  for (const name of Object.keys(console)) {
    if (typeof console[name] === "function") console[name] = nothing;
  }
  // what is thrown where nobody listens ends no process that others use
  for (const name of ["error", "unhandledrejection"]) {
    addEventListener(name, (event) => event.preventDefault());
  }
}

export async function serve(handlers) {
  prepare();
  send({ type: "ready" });
  await listen(handlers);
  exit(0); // relay is gone
}
