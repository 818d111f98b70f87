// What tests run: `code` is the body of an async function, as a user's function might be.

import { serve } from "../../relay/sandbox/frames.mjs";

const AsyncFunction = (async () => {}).constructor;

serve({
  code: (message, { http }) => new AsyncFunction("message", "http", message.code)(message, http),
});
