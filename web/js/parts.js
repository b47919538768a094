// Pieces that several pages are made of.

import { html, nothing } from "../vendor/lit-html.js";
import { exact, relative, webAddress } from "./format.js";
// registry
import { BLOCKERS, moment, pagesOf, short, span, STATES } from "./format.js";
// /registry
import { to } from "./router.js";

/** A time: relative to read, exact in the title and for screen readers. */
export function time(iso, say = relative) {
  if (!iso) return nothing;
  return html`<time datetime=${iso} title=${exact(iso)}
    ><span aria-hidden="true">${say(iso)}</span><span class="unseen">${exact(iso)}</span></time
  >`;
}

/** A state: always a shape and a word, never colour alone. `tone` is good, bad, warn, busy or quiet. */
export function state(tone, words) {
  return html`<span class="state ${tone}">${mark(tone)}<span>${words}</span></span>`;
}

const SHAPES = {
  good: "M3 8.5l3.2 3L13 4.5",
  bad: "M4 4l8 8M12 4l-8 8",
  warn: "M8 3v6.5M8 12.4v.6",
  busy: "M8 2.5a5.5 5.5 0 1 1-5.5 5.5",
  quiet: "M4 8h8",
};

export function mark(tone) {
  return html`<svg class="mark" viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
    <path d=${SHAPES[tone]} fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" />
  </svg>`;
}

/** Say something to screen readers. */
export function announce(text) {
  document.getElementById("live").textContent = text;
}

export function outside(url, words) {
  const address = webAddress(url);
  return address ? html`<a class="outside" href=${address} rel="noreferrer">${words}</a>` : nothing;
}

/** A table with a caption for screen readers. `columns` are its headings. */
export function table(caption, columns, rows) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}>
    <table class="list">
      <caption class="unseen">${caption}</caption>
      <thead><tr>${columns.map((column) => html`<th scope="col">${column || html`<span class="unseen">Links and actions</span>`}</th>`)}</tr></thead>
      <tbody>${rows}</tbody>
    </table>
  </div>`;
}

export function nothingHere(words) {
  return html`<p class="nothing">${words}</p>`;
}

/** The page's heading, with the way back and the actions. `system` is the key of the page's system, or true on its own page. */
export function heading(title, { system, actions = nothing, note = nothing } = {}) {
  return html`<header class="heading">
    ${
      system
        ? html`<nav class="trail" aria-label="Where this page is">
            <a href=${to()}>All systems</a>${system === true ? nothing : html`<a href=${to("systems", system)}>${system}</a>`}
          </nav>`
        : nothing
    }
    <div class="line"><h1 tabindex="-1" dir="auto">${title}</h1><div class="actions">${actions}</div></div>
    ${note}
  </header>`;
}

/** A button for an action, or nothing if the caller may not do it. */
export function action(allowed, words, start, kind = "") {
  return allowed ? html`<button type="button" class=${kind} @click=${start}>${words}</button>` : nothing;
}

/** True if the caller has at least this role, in this system if one is given. */
export function may(me, role, system) {
  const order = ["viewer", "pipeline", "maintainer", "admin"];
  return (me?.roles ?? []).some(
    (own) =>
      order.indexOf(own.role) >= order.indexOf(role) &&
      (own.systems === null || own.more_systems || (system !== undefined && own.systems.includes(system))),
  );
}

// registry
export function deploymentState(deployment) {
  const tone = { succeeded: "good", failed: "bad", cancelled: "quiet", in_progress: "busy" }[deployment.state];
  return state(tone, STATES[deployment.state] ?? deployment.state);
}

export function outcome(verification) {
  const tone = { success: "good", failure: "bad", error: "warn", cancelled: "quiet" }[verification.outcome];
  return state(tone, verification.outcome);
}

/** A short id that links to its page, with a button that copies the whole id. */
export function artifact(system, id, { copy = true } = {}) {
  return html`<span class="id"
    ><a class="mono" href=${to("systems", system, "artifacts", id)} title=${id}>${short(id)}</a>${
      copy ? copyButton(id, "artifact") : nothing
    }</span
  >`;
}

/** A commit, linked to the repository if that is known. */
export function commit(sha, repository) {
  const address = pagesOf(repository);
  const text = html`<span class="mono" title=${sha}>${short(sha)}</span>`;
  return html`<span class="id"
    >${
      address
        ? html`<a href="${address}/commit/${sha}" rel="noreferrer">${text}</a>`
        : text
    }${copyButton(sha, "commit")}</span
  >`;
}

export function copyButton(text, name) {
  return html`<button class="copy" type="button" aria-label="Copy ${name} ${short(text)}" title="Copy"
    @click=${(event) => copied(event.currentTarget, text)}>
    <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
      <path d="M5.5 5.5V2.5h8v8h-3M2.5 5.5h8v8h-8z" fill="none" stroke="currentColor" stroke-width="1.4" />
    </svg>
  </button>`;
}

async function copied(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1200);
    announce("Copied");
  } catch {
    announce("The browser did not allow copying");
  }
}

/** The blockers of a decision, each with its detail and its end. */
export function blockers(list, system) {
  return html`<ul class="blockers">
    ${list.map(
      (blocker) => html`<li>
        ${state(blocker.code === "soaking" ? "busy" : "warn", BLOCKERS[blocker.code] ?? blocker.code)}
        <span class="text">${blocker.detail}</span>
        ${blocker.available_at ? html`<span class="muted">until ${time(blocker.available_at, moment)}</span>` : nothing}
        ${blocker.hold ? html`<a href=${to("holds", { system })}>hold ${blocker.hold}</a>` : nothing}
      </li>`,
    )}
  </ul>`;
}

/** The requirements that remain after the blockers. */
export function stillRequired(required) {
  if (!required) return nothing;
  const parts = [];
  if (required.suites.length) parts.push(`a success of ${required.suites.join(", ")}`);
  if (required.soak_seconds) parts.push(`${span(required.soak_seconds)} of soak`);
  if (required.approvals) parts.push(`${required.approvals} ${required.approvals === 1 ? "approval" : "approvals"}`);
  return parts.length ? html`<p class="muted">Then still required: ${parts.join("; ")}.</p>` : nothing;
}
// /registry
