// Sends a client's requests to a debug workspace if the client has a route. CloudFront runs this before its cache.
//
// This function does not verify the token. It only chooses the origin, and the API there verifies the token.
// The key value store has two kinds of entries:
// - `client/<client>`: the client's route, {"workspace", "until"}, with `until` in seconds of Unix time;
// - `workspace/<name>`: a debug workspace's API, {"domain", "path"}. Only creating, applying and destroying the workspace
//   change this entry, from Terraform's outputs. So a route can't name an address.
import cf from 'cloudfront';

// The tools and Terraform have the same patterns; a test compares them.
const CLIENT = /^[A-Za-z0-9._~@:|+-]{1,128}$/;
const WORKSPACE = /^[a-z][a-z0-9-]{0,15}$/;
// A workspace's API is an API Gateway: people who can write entries must not send tokens anywhere else.
const REGIONAL_API = /^[a-z0-9]{1,32}\.execute-api\.[a-z0-9-]{1,32}\.amazonaws\.com$/;
const PATH = /^\/[a-z0-9-]{1,64}$/;
// The environment itself. The cache keeps its answers under this name.
const DEFAULT = 'default';

async function handler(event) {
  const request = event.request;
  // This header is part of the cache's key, so that other clients never get a workspace's answer. Overwrite the value
  // that the client sent.
  request.headers['x-workspace'] = { value: DEFAULT };
  if (!request.uri.startsWith('/v1/')) {
    return request;
  }
  const client = clientOf(request.headers);
  if (client === null) {
    return request;
  }
  const workspace = await workspaceOf(client);
  if (workspace === null) {
    return request;
  }
  const api = await apiOf(workspace);
  if (api !== null) {
    request.headers['x-workspace'] = { value: workspace };
    // Without customHeaders, the workspace would get the header with the secret of the environment's own API.
    // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/helper-functions-origin-modification.html
    cf.updateRequestOrigin({ domainName: api.domain, originPath: api.path, customHeaders: {} });
  }
  return request;
}

function clientOf(headers) {
  const named = headers['x-client'];
  const client = named ? named.value : subjectOf(headers.authorization);
  return matches(CLIENT, client) ? client : null;
}

function subjectOf(authorization) {
  if (!authorization) {
    return null;
  }
  try {
    const token = authorization.value.trim().split(/ +/)[1]; // the authorizer ignores further blanks too
    const payload = token.split('.')[1];
    return JSON.parse(Buffer.from(payload, 'base64url').toString()).sub;
  } catch (error) {
    return null; // the token is not a JWT: the API refuses it
  }
}

async function workspaceOf(client) {
  const route = await entry(`client/${client}`);
  const usable =
    route !== null &&
    route.until > Date.now() / 1000 &&
    matches(WORKSPACE, route.workspace) &&
    route.workspace !== DEFAULT; // another origin's answers must not be kept as the environment's own
  return usable ? route.workspace : null;
}

async function apiOf(workspace) {
  const api = await entry(`workspace/${workspace}`);
  return api !== null && matches(REGIONAL_API, api.domain) && matches(PATH, api.path) ? api : null;
}

// A pattern would also match a list with a matching text.
function matches(pattern, text) {
  return typeof text === 'string' && pattern.test(text);
}

async function entry(key) {
  try {
    const value = await cf.kvs().get(key); // CloudFront's runtime refuses `await` in the arguments of a call
    return JSON.parse(value);
  } catch (error) {
    return null; // the store throws an error for a key that does not exist
  }
}
