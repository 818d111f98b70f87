// What bench/sandbox.py runs: `code` is the body of an async function, as a user's function might be.

import { serve } from "../relay/sandbox/frames.mjs";

const AsyncFunction = (async () => {}).constructor;
const compiled = Object.create(null);

serve({
  code(message, { http }) {
    const run = (compiled[message.code] ??= new AsyncFunction("message", "http", message.code));
    return run(message, http);
  },
});
