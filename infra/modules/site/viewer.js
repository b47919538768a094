// Sends a client's requests to a debug workspace if the client has a route. CloudFront runs this before its cache.
//
// This function does not verify the token. It only chooses the origin, and the API there verifies the token.
// In the key value store, the key is a client. The value is {"workspace", "domain", "path", "until"}, with `until` in
// seconds of Unix time.
import cf from 'cloudfront';

// The tools and Terraform have the same patterns; a test compares them.
const CLIENT = /^[A-Za-z0-9._~@:-]{1,128}$/;
const WORKSPACE = /^[a-z][a-z0-9-]{0,15}$/;
// A route may only lead to an API Gateway: people who can write routes must not send tokens anywhere else.
const REGIONAL_API = /^[a-z0-9]{1,32}\.execute-api\.[a-z0-9-]{1,32}\.amazonaws\.com$/;
const PATH = /^\/[a-z0-9-]{1,64}$/;

async function handler(event) {
  const request = event.request;
  // This header is part of the cache's key, so that other clients never get a workspace's answer. Overwrite the value
  // that the client sent.
  request.headers['x-workspace'] = { value: 'default' };
  if (!request.uri.startsWith('/v1/')) {
    return request;
  }
  const client = clientOf(request.headers);
  if (client === null) {
    return request;
  }
  const route = await routeOf(client);
  if (route !== null) {
    request.headers['x-workspace'] = { value: route.workspace };
    cf.updateRequestOrigin({ domainName: route.domain, originPath: route.path });
  }
  return request;
}

function clientOf(headers) {
  const named = headers['x-client'];
  const client = named ? named.value : subjectOf(headers.authorization);
  return typeof client === 'string' && CLIENT.test(client) ? client : null;
}

function subjectOf(authorization) {
  if (!authorization) {
    return null;
  }
  try {
    const payload = authorization.value.split(' ')[1].split('.')[1];
    return JSON.parse(Buffer.from(payload, 'base64url').toString()).sub;
  } catch (error) {
    return null; // the token is not a JWT: the API refuses it
  }
}

async function routeOf(client) {
  try {
    const route = JSON.parse(await cf.kvs().get(client));
    const usable =
      route.until > Date.now() / 1000 &&
      WORKSPACE.test(route.workspace) &&
      REGIONAL_API.test(route.domain) &&
      PATH.test(route.path);
    return usable ? route : null;
  } catch (error) {
    return null; // the store throws an error for a key that does not exist
  }
}
