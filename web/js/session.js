// The caller's token: in memory and in session storage, so that it ends with the tab. Never in an address.

const TOKEN = "dashboard.token";
const RETURN = "dashboard.return";

let token = sessionStorage.getItem(TOKEN);
let manager = null;

export function currentToken() {
  return token;
}

function keep(received) {
  token = received;
  sessionStorage.setItem(TOKEN, received);
}

export function end() {
  token = null;
  sessionStorage.removeItem(TOKEN);
}

/** Remember the page that a sign-in returns to. */
export function rememberPage(fragment) {
  if (!fragment.startsWith("#/sign-in")) sessionStorage.setItem(RETURN, fragment);
}

export function rememberedPage() {
  const page = sessionStorage.getItem(RETURN);
  sessionStorage.removeItem(RETURN);
  return page?.startsWith("#/") ? page : "#/";
}

/** Return a token of the local issuer. Only the local server has this address. */
export async function signInLocally(role) {
  const response = await fetch("/local/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ role }),
    credentials: "omit",
  });
  if (!response.ok) throw new Error(`The local server answered ${response.status}: is it still running?`);
  keep((await response.json()).token);
}

/** Go to the issuer's page: authorization code with PKCE. */
export async function signInAtIssuer(settings) {
  await userManager(settings).signinRedirect();
}

/** Finish a sign-in at the issuer if the address says so. Clean the address first. */
export async function finishSignIn(settings) {
  const query = new URLSearchParams(location.search);
  if (!query.has("state") || !(query.has("code") || query.has("error"))) return false;
  const answered = location.href;
  history.replaceState(null, "", `${location.pathname}#/sign-in`);
  if (settings?.kind !== "oidc") return false;
  const user = await userManager(settings).signinRedirectCallback(answered);
  keep(user.id_token && user.access_token.split(".").length !== 3 ? user.id_token : user.access_token);
  return true;
}

/** End the session here, and at the issuer if it has one. */
export async function signOut(settings) {
  end();
  sessionStorage.removeItem(RETURN);
  if (settings?.kind !== "oidc") return;
  await userManager(settings).removeUser();
  try {
    await userManager(settings).signoutRedirect({ post_logout_redirect_uri: `${location.origin}/` });
  } catch {
    // The issuer has no page to sign out.
  }
}

function userManager({ authority, client_id, scope }) {
  const { UserManager, WebStorageStateStore } = globalThis.oidc;
  manager ??= new UserManager({
    authority,
    client_id,
    scope,
    redirect_uri: `${location.origin}/`,
    response_type: "code",
    automaticSilentRenew: false,
    monitorSession: false,
    userStore: new WebStorageStateStore({ store: sessionStorage }),
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
  });
  return manager;
}
