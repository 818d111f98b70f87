// What runs in the child: Segment's destinations, unmodified, one call at a time or several side by side.
//
// Started as `deno run ... worker.mjs LIMITS FOLDER`; FOLDER holds the bundle. Each message names what to do:
//
//   {op: "event", type, settings, subscription: {partnerAction, mapping}, event}       -> {}
//   {op: "batch", type, settings, subscription, events}      -> {multistatus: [{status, errortype, errormessage, body}]}
//   {op: "test", type, settings}                             -> {}              do the credentials work?
//   {op: "refresh", type, settings}                          -> {tokens}        new OAuth tokens
//   {op: "delete", type, settings, event: {userId, anonymousId}} -> {}          forget a person
//   {op: "field", type, settings, action, field, payload, page?} -> {field: {choices, nextPage}}
//
// Any of them may carry
//   auth         {accessToken, refreshToken, clientId, clientSecret, refreshTokenUrl} of OAuth
//   env          what the destination finds in `process.env`: the secrets of an app registered with the vendor
//   features     flags that switch some destinations to another behaviour: {name: true}
//   transaction  what actions told each other about the same event: {contact_id}
//   now          a fixed clock, as ISO 8601
//
// An answer has `error` {name, message, code, status, fields, retryAfter} instead when the destination refused or the
// vendor did; `transaction` when it is not what it was. Tokens that the vendor refuses are an error of status 401:
// relay renews them, for all calls that share them, and calls again. A request of the destination goes to relay as {method, url, headers, body or bodyBase64, redirect?}, and what relay answers is
// {status, headers, body or bodyBase64}. Time limits are relay's own. Filters (FQL) are relay's too: what comes
// here is sent.

import { calls, open } from "./bundle.mjs";
import { serve } from "../../sandbox/frames.mjs";

const EVERY = 'type != ""'; // the core wants a filter
const SYNC_MODE = "__segment_internal_sync_mode";

const nothing = () => {};
const statsClient = { incr: nothing, set: nothing, observe: nothing, histogram: nothing, gauge: nothing };
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, crit: nothing, log: nothing };

const bundle = open(Deno.args[1]);
const destinations = new WeakMap(); // an instance of the bundle -> type -> destination

function destinationOf(message) {
  const instance = bundle.instance(message.env ?? {}, message.now !== undefined);
  const made = destinations.get(instance) ?? destinations.set(instance, new Map()).get(instance);
  let destination = made.get(message.type);
  if (destination === undefined) {
    if (!Object.hasOwn(instance.destinations, message.type)) throw new TypeError(`no destination ${message.type}`);
    const definition = instance.destinations[message.type]();
    destination = new (instance.core().Destination)({ ...definition, extendRequest: patient(definition.extendRequest) });
    made.set(message.type, destination);
  }
  return destination;
}

/** Requests without a time limit of their own, except where the destination sets one. */
function patient(extendRequest) {
  return (context) => ({ timeout: false, ...extendRequest?.(context) });
}

function settingsOf(message) {
  const { auth } = message;
  if (auth === undefined) return message.settings;
  const oauth = {
    access_token: auth.accessToken,
    refresh_token: auth.refreshToken,
    clientId: auth.clientId,
    clientSecret: auth.clientSecret,
    refresh_token_url: auth.refreshTokenUrl,
  };
  return { ...message.settings, oauth: { ...message.settings.oauth, ...oauth } };
}

function subscriptionOf(destination, { subscription }) {
  const action = destination.actions[subscription.partnerAction];
  if (action === undefined) throw refusal(`there is no action ${subscription.partnerAction}`);
  const mapping = subscription.mapping ?? {};
  const { syncMode } = action.definition;
  if (syncMode?.default !== undefined) mapping[SYNC_MODE] ??= syncMode.default;
  return { ...subscription, mapping, subscribe: EVERY };
}

function refusal(message) {
  return Object.assign(new Error(message), { name: "Refused", status: 400 });
}

/** What the core may tell and be told during a call, and what came of it in the end. */
function contextOf(message) {
  const transaction = { ...message.transaction };
  const told = {};
  const options = {
    features: message.features ?? {},
    statsContext: { statsClient, tags: [] }, // some destinations count without asking whether anybody does
    logger,
    transactionContext: {
      transaction,
      setTransaction(name, value) {
        transaction[name] = value;
        told.transaction = transaction;
      },
    },
    synchronizeRefreshAccessToken() { // the core calls it before it renews a token by itself
      throw Object.assign(new Error("the access token was refused"), { name: "Unauthorized", status: 401 });
    },
  };
  return { options, told };
}

const OPERATIONS = {
  async event(destination, message, { options }) {
    const subscription = subscriptionOf(destination, message);
    await destination.onEvent(message.event, { ...settingsOf(message), subscription }, options);
    return {};
  },

  async batch(destination, message, { options }) {
    const subscription = subscriptionOf(destination, message);
    const results = await destination.onBatch(message.events, { ...settingsOf(message), subscription }, options);
    return { multistatus: results[0].multistatus.map(outcome) };
  },

  async test(destination, message) {
    await destination.testAuthentication(settingsOf(message));
    return {};
  },

  async refresh(destination, message) {
    const { oauth, ...settings } = settingsOf(message);
    return { tokens: await destination.refreshAccessToken(settings, message.auth) };
  },

  async delete(destination, message, { options }) {
    if (destination.onDelete === undefined) throw refusal("it cannot delete");
    await destination.onDelete(message.event, settingsOf(message), options);
    return {};
  },

  async field(destination, message, { options }) {
    const { oauth, ...settings } = settingsOf(message);
    const data = { settings, payload: message.payload ?? {}, auth: message.auth, page: message.page, ...options };
    return { field: await destination.executeDynamicField(message.action, message.field, data) };
  },
};

/** What became of one event of a batch; what was sent is relay's to know. */
function outcome(one) {
  const { status, errortype, errormessage, body } = one ?? {};
  return { status, errortype, errormessage, body: status < 400 ? undefined : body };
}

function failure(error) {
  if (error === null || typeof error !== "object") return { name: "Error", message: String(error) };
  const { name, message, code, response } = error;
  const isInvalid = name === "AggregateAjvError";
  return {
    name: String(name),
    message: String(message),
    code: typeof code === "string" || typeof code === "number" ? code : undefined,
    status: error.status ?? response?.status ?? (isInvalid ? 400 : undefined),
    fields: isInvalid ? fieldsOf(String(message)) : undefined,
    retryAfter: response?.headers?.get?.("retry-after") ?? undefined,
  };
}

/** The fields that a message of the validator names: quoted, or as JSON pointers. */
function fieldsOf(message) {
  const named = [...message.matchAll(/'([^']*)'|(?<=^|\s)(\/[\w/~$-]+)/g)];
  return [...new Set(named.map(([, quoted, pointer]) => quoted ?? pointer))];
}

function handler(operation) {
  return (message, { http }) => {
    const call = { http, now: message.now === undefined ? undefined : Date.parse(message.now) };
    return calls.run(call, async () => {
      const context = contextOf(message);
      let answer;
      try {
        const destination = destinationOf(message);
        answer = await operation(destination, message, context);
        destination.responses.length = 0; // the core keeps every answer for ever
      } catch (error) {
        answer = { error: failure(error) };
      }
      return { ...answer, ...context.told };
    });
  };
}

serve(Object.fromEntries(Object.entries(OPERATIONS).map(([name, operation]) => [name, handler(operation)])));
