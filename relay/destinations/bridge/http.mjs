// The HTTP of the bundle, handed to relay: `fetch` for the package, `handle` for the AWS clients in it.

import { Buffer } from "node:buffer";
import { STATUS_CODES } from "node:http";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const EMPTY = [204, 205, 304]; // no body, not even an empty one (Fetch Standard: null body status)

/** A body as JSON carries it. */
function packed(bytes) {
  if (bytes === null || bytes.length === 0) return {};
  try {
    return { body: utf8.decode(bytes) };
  } catch {
    return { bodyBase64: Buffer.from(bytes).toString("base64") };
  }
}

function unpacked({ body, bodyBase64 }) {
  return bodyBase64 === undefined ? (body ?? "") : Buffer.from(bodyBase64, "base64");
}

/** What the package knows as fetch. */
export async function fetch(http, input, init) {
  const request = input instanceof Request ? input : new Request(input, init);
  const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
  const { method, url, redirect } = request;
  const asked = { method, url, headers: Object.fromEntries(request.headers), ...packed(body) };
  const reply = await http(redirect === "follow" ? asked : { ...asked, redirect });
  const { status, headers } = reply;
  const given = { status, statusText: STATUS_CODES[status] ?? "", headers };
  const response = new Response(EMPTY.includes(status) ? null : unpacked(reply), given);
  return Object.defineProperty(response, "url", { value: url });
}

/** What the AWS clients know as a request handler: their request in, {statusCode, headers, body} out. */
export async function handle(http, request) {
  const { method, body } = request;
  const { expect, ...headers } = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const reply = await http({ method, url: addressOf(request), headers, ...packed(await bytesOf(body)) });
  return { statusCode: reply.status, headers: Object.fromEntries(new Headers(reply.headers)), body: Buffer.from(unpacked(reply)) };
}

function addressOf({ protocol, hostname, port, path, query }) {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  const text = pairs
    .map(([name, value]) => (value === null ? quoted(name) : `${quoted(name)}=${quoted(value)}`))
    .join("&");
  return `${protocol}//${hostname}${port ? `:${port}` : ""}${path}${text ? `?${text}` : ""}`;
}

/** RFC 3986, as AWS signs it. */
function quoted(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

async function bytesOf(body) {
  if (body === undefined || body === null) return null;
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  const parts = [];
  for await (const part of body) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}
