// The frame of every page: header, navigation, filter, age of the data, the caller, and messages about the service.

import { html, nothing } from "../vendor/lit-html.js";
import { relative, timeOfDay } from "./format.js";
import { mark } from "./parts.js";
import { to } from "./router.js";

const LINKS = [
  // registry
  ["Overview", to()],
  ["Workspaces", to("workspaces")],
  ["Holds", to("holds")],
  ["Metrics", to("metrics")],
  ["Dependencies", to("dependencies")],
  // /registry
  ["Systems", to("systems")],
  ["Audit", to("audit")],
];

export function frame(app, shown, main, { filter, signOut, retry, stale }) {
  return html`
    <a class="skip" href="#main" @click=${skip}>Skip to content</a>
    <header class="top">
      <a class="word" href=${to()} aria-label="${app.configuration?.name ?? ""}, first page">${wordMark(app)}</a>
      ${
        app.me
          ? html`<nav class="pages" aria-label="Pages">${LINKS.map(([words, address]) => link(words, address, shown))}</nav>
              <label class="filter">
                <span class="unseen">Filter systems</span>
                <input id="filter" type="search" placeholder="Filter systems" .value=${app.filter} autocomplete="off"
                  @input=${(event) => filter(event.target.value)} />
                <kbd aria-hidden="true">/</kbd>
              </label>
              ${asOf(app, stale)} ${user(app, signOut)}`
          : nothing
      }
    </header>
    ${trouble(app, shown, retry)}
    <main id="main" tabindex="-1">${main}</main>
    <footer class="bottom">
      <span>${app.configuration?.name ?? ""} ${app.configuration?.version ?? ""}</span>
      ${app.configuration ? html`<span>stage ${app.configuration.stage}</span>` : nothing}
    </footer>
    <div id="live" class="unseen" role="status" aria-live="polite"></div>
    <dialog id="dialog" aria-label="Action"></dialog>
  `;
}

function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function link(words, address, shown) {
  const here = shown?.page.title(shown.params) === words;
  return html`<a href=${address} aria-current=${here ? "page" : nothing}>${words}</a>`;
}

function wordMark(app) {
  return html`<svg class="logo" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
      <rect width="32" height="32" rx="7" class="plate" />
      <path d="M7 11h18M9 16h14M12 21h8" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" />
    </svg>
    <span>${app.configuration?.name ?? ""}</span>`;
}

function asOf(app, stale) {
  if (!app.loadedAt) return html`<span class="asof"></span>`;
  const old = Date.now() - app.loadedAt > stale;
  return html`<span class=${old ? "asof old" : "asof"} title="When this page was last read from the service">
    <span class="words">as of</span> <time datetime=${app.loadedAt.toISOString()}>${timeOfDay(app.loadedAt)}</time>
  </span>`;
}

function user(app, signOut) {
  const { subject, roles, expires_at } = app.me;
  return html`<details class="user">
    <summary aria-label="Account: ${subject}"><span class="initial" aria-hidden="true">${[...subject][0]}</span></summary>
    <div class="menu">
      <p class="text"><strong dir="auto">${subject}</strong></p>
      ${roles.map(
        ({ role, systems }) => html`<p class="muted text">${role}${systems ? ` of ${systems.join(", ")}` : ""}</p>`,
      )}
      ${roles.length ? nothing : html`<p class="muted">No role: ask an admin for one.</p>`}
      <p class="muted">The session ends ${relative(expires_at)}.</p>
      <button type="button" @click=${signOut}>Sign out</button>
    </div>
  </details>`;
}

/** A line below the header while the service cannot be reached and the page shows older data. */
function trouble(app, shown, retry) {
  if (!shown?.problem || shown.data === undefined) return nothing;
  const offline = shown.problem.status === 0;
  return html`<div class="trouble" role="alert">
    ${mark("warn")}
    <span>
      ${offline ? "The service does not answer" : shown.problem.message} since ${timeOfDay(app.failedSince)}.
      ${app.loadedAt ? html`You see what was known at ${timeOfDay(app.loadedAt)}.` : nothing}
    </span>
    <button type="button" @click=${retry}>Try again</button>
  </div>`;
}

/** The state of a page that has nothing to show. */
export function message(problem, retry) {
  const [title, advice] = explain(problem);
  return html`<section class="message">
    <h1 tabindex="-1">${title}</h1>
    <p class="text">${advice}</p>
    <p>
      ${problem.passing ? html`<button type="button" class="primary" @click=${() => retry()}>Try again</button>` : nothing}
      <a href=${to()}>Go to the first page</a>
    </p>
    ${problem.instance ? html`<p class="muted">Request <span class="mono">${problem.instance}</span></p>` : nothing}
  </section>`;
}

function explain(problem) {
  if (problem.status === 0) return ["The service does not answer", "Check your connection. The page tries again by itself."];
  if (problem.status === 403) return ["You may not see this", `${problem.message} You can also sign in as somebody else.`];
  if (problem.status === 404) return ["Nothing is here", "The address is wrong, or what was here is gone."];
  return [problem.title || "Something went wrong", problem.message];
}
