// Stands for `cross-fetch`, the package's only HTTP client. `host` is given to the bundle by bundle.mjs.
const fetch = (input, init) => host.fetch(input, init);
module.exports = Object.assign(fetch, { __esModule: true, default: fetch, fetch, Headers, Request, Response });
