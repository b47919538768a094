// The shell: it finds the page for an address, loads what the page shows, and keeps it fresh while it is visible.

import { html, nothing, render } from "../vendor/lit-html.js";
import { closeAction } from "./actions.js";
import { Api, Problem } from "./api.js";
import * as audit from "./pages/audit.js";
import * as settings from "./pages/settings.js";
import * as signIn from "./pages/sign-in.js";
import * as systems from "./pages/systems.js";
// registry
import * as dependencies from "./registry/dependencies.js";
import { holds, workspaces } from "./registry/lists.js";
import * as metrics from "./registry/metrics.js";
import * as overview from "./registry/overview.js";
import { artifact, changes, deployment } from "./registry/records.js";
import * as system from "./registry/system.js";
// /registry
import { match, to } from "./router.js";
import * as session from "./session.js";
import { frame, message } from "./shell.js";

const REFRESH_MS = 10_000;
const STALE_MS = 35_000;
// The first page that fits an address is shown there, and the filter leads to the first page of all.
const ROUTES = [
  // registry
  ["/", overview],
  ["/systems/:system", system],
  ["/systems/:system/artifacts/:artifact", artifact],
  ["/systems/:system/deployments/:deployment", deployment],
  ["/systems/:system/environments/:environment/changes", changes],
  ["/workspaces", workspaces],
  ["/holds", holds],
  ["/metrics", metrics],
  ["/dependencies", dependencies],
  // /registry
  ["/", systems],
  ["/systems", systems],
  ["/systems/:system", settings],
  ["/systems/:system/settings", settings],
  ["/audit", audit],
  ["/sign-in", signIn],
];

const api = new Api(session.currentToken);
const root = document.getElementById("app");
const app = { configuration: null, me: null, filter: "", loadedAt: null, failedSince: null, expired: false };
let shown = null; // the page: {page, params, query, data, problem}
let loading = null; // the AbortController of the load that runs
let timer = 0;

function draw() {
  const main = shown?.problem && !shown.data ? message(shown.problem, load) : body();
  render(frame(app, shown, main, { filter: setFilter, signOut, retry: () => load(), stale: STALE_MS }), root);
}

function body() {
  if (!shown) return nothing;
  const { page, params, query, data } = shown;
  if (data === undefined) return html`<div class="loading" role="status"><span class="unseen">Loading</span></div>`;
  return page.render(data, { ...context(), params, query });
}

/** Return the values and functions that a page may use. */
function context() {
  const { me, configuration, filter, expired } = app;
  return { api, me, configuration, filter, expired, refresh: () => load(), draw, signedIn };
}

/** Show the page that the caller left to sign in. */
function signedIn() {
  Object.assign(app, { me: null, expired: false });
  api.forget();
  location.hash = session.rememberedPage();
}

/** Show the page of the address. Move the focus to its heading, unless only the query changed. */
async function navigate() {
  const found = match(ROUTES, location.hash);
  const page = found?.page ?? { title: () => "Not found", load: () => Promise.reject(new Problem(404)) };
  if (page !== signIn && !session.currentToken()) {
    session.rememberPage(location.hash);
    location.replace(to("sign-in"));
    return;
  }
  closeAction();
  if (!page.filtered) app.filter = "";
  root.querySelector(".user")?.removeAttribute("open");
  const same = shown && shown.page === page && JSON.stringify(shown.params) === JSON.stringify(found?.params ?? {});
  shown = { page, params: found?.params ?? {}, query: found?.query ?? new URLSearchParams(), data: same ? shown.data : undefined };
  document.title = `${page.title(shown.params)} · ${app.configuration.name}`;
  draw();
  if (!same) scrollTo(0, 0);
  await load();
  // A caller who types a filter on another page goes on typing on the first page.
  if (!same && document.activeElement?.id !== "filter") (root.querySelector("h1") ?? root.querySelector("main")).focus({ preventScroll: true });
}

/** Load what the page shows. An error keeps what is shown, and says so. */
async function load() {
  clearTimeout(timer);
  loading?.abort();
  const mine = (loading = new AbortController());
  const target = shown;
  try {
    if (session.currentToken() && !app.me && target.page !== signIn) app.me = await api.get("/v1/me", mine.signal);
    const data = await target.page.load({ ...context(), ...target, signal: mine.signal });
    if (mine.signal.aborted || target !== shown) return;
    Object.assign(target, { data, problem: null });
    app.loadedAt = new Date();
    app.failedSince = null;
  } catch (error) {
    if (mine.signal.aborted || target !== shown) return;
    const problem = error instanceof Problem ? error : new Problem(-1, { title: "This page is broken", detail: error.message });
    if (!(error instanceof Problem)) console.error(error);
    if (problem.status === 401 && target.page !== signIn) return expire();
    target.problem = problem;
    if (!problem.passing) target.data = undefined;
    app.failedSince ??= new Date();
  }
  draw();
  schedule();
}

function schedule() {
  clearTimeout(timer);
  if (!document.hidden && shown?.page !== signIn) timer = setTimeout(load, REFRESH_MS);
}

function expire() {
  session.rememberPage(location.hash);
  session.end();
  Object.assign(app, { me: null, expired: true });
  api.forget();
  location.replace(to("sign-in"));
}

async function signOut() {
  Object.assign(app, { me: null, expired: false, loadedAt: null });
  api.forget();
  const leaving = session.signOut(app.configuration?.sign_in);
  location.hash = to("sign-in");
  await leaving;
}

function setFilter(text) {
  app.filter = text;
  if (!shown?.page.filtered) location.hash = to();
  draw();
}

async function start() {
  draw();
  try {
    app.configuration = await api.get("/v1/configuration");
  } catch (error) {
    shown = { page: { title: () => "" }, params: {}, problem: error };
    render(frame(app, shown, message(error, start), {}), root);
    return;
  }
  try {
    if (await session.finishSignIn(app.configuration.sign_in)) history.replaceState(null, "", session.rememberedPage());
  } catch (error) {
    signIn.failed(error);
  }
  addEventListener("hashchange", navigate);
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : shown && load()));
  addEventListener("online", () => load());
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, textarea, select, dialog")) {
      event.preventDefault();
      document.getElementById("filter")?.focus();
    }
  });
  await navigate();
}

start();
