// The overview: first the environments that need attention, then one row for each system and one column for each environment.

import { html, nothing } from "../../vendor/lit-html.js";
import { age, BLOCKERS, moment, plural, short } from "../format.js";
import { copyButton, mark, outside, state, time } from "../parts.js";
import { to } from "../router.js";
import * as systemPage from "./system.js";

const MOST_ATTENTION = 16;
const FILTERS = ["attention", "production"];

export const title = () => "Overview";
export const filtered = true;

let opened = null; // the address of the panel that is open
let opener = null; // what had the focus before it opened

export async function load(context) {
  const { api, query, signal } = context;
  const filters = FILTERS.filter((name) => query.has(name)).map((name) => `&${name}=true`);
  const [systems, panel] = await Promise.all([
    api.all(`/v1/overview?limit=200${filters.join("")}`, signal),
    query.has("system") ? loadPanel(context) : null,
  ]);
  focusPanel(query);
  return { systems, panel };
}

export function render({ systems, panel }, context) {
  const { filter, query } = context;
  const filtered = FILTERS.some((name) => query.has(name));
  if (!systems.length && !filtered) return emptyState();
  const wanted = filter.trim().toLowerCase();
  const shown = wanted
    ? systems.filter(({ key, name }) => key.includes(wanted) || name.toLowerCase().includes(wanted))
    : systems;
  const columns = environmentsOf(shown);
  return html`
    <h1 class="unseen" tabindex="-1">Overview</h1>
    ${attention(shown, query)}
    <div class="bar">
      <h2>${plural(shown.length, "system")}${wanted ? html` <span class="muted">with “${filter}”</span>` : nothing}</h2>
      <nav class="choices" aria-label="Show">
        ${choice("All", {}, !filtered)}
        ${choice("Needs attention", { attention: 1 }, query.has("attention"))}
        ${choice("Production", { production: 1 }, query.has("production"))}
      </nav>
    </div>
    ${
      shown.length
        ? html`<table class="matrix">
            <caption class="unseen">The deployments of each system by environment</caption>
            <thead>
              <tr><th scope="col">System</th>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr>
            </thead>
            <tbody>${shown.map((system) => row(system, columns, query))}</tbody>
          </table>`
        : html`<p class="nothing">${query.has("attention") ? "Nothing needs attention." : "No system matches."}</p>`
    }
    ${query.has("system") ? panelView(panel, context) : nothing}
  `;
}

async function loadPanel({ api, query, signal }) {
  const of = { system: query.get("system"), environment: query.get("environment") };
  try {
    return { ...of, data: await systemPage.load({ api, params: of, signal }, of.environment) };
  } catch (problem) {
    if (signal.aborted || problem.status === 401) throw problem;
    return { ...of, problem };
  }
}

/** The environment that was opened, beside the table. */
function panelView(panel, context) {
  const [system, environment] = ["system", "environment"].map((name) => context.query.get(name));
  const known = panel?.system === system && panel.environment === environment ? panel : {};
  const lane = known.data?.lanes[0];
  const close = withFilters(context.query);
  return html`<aside class="panel" aria-labelledby="panel"
    @keydown=${(event) => event.key === "Escape" && !event.target.closest("dialog") && (location.hash = close)}>
    <header>
      <h2 id="panel" tabindex="-1"><a href=${to("systems", system, { environment })}><bdi>${system}</bdi></a> ${environment}</h2>
      ${outside(lane?.base_url, "Open")}
      <a class="close" href=${close} aria-label="Close">${mark("bad")}</a>
    </header>
    ${lane ? systemPage.laneBody(lane, known.data, context) : html`<p class="muted" role="status">${known.problem?.message ?? (known.data ? "There is no such environment" : "Loading")}</p>`}
  </aside>`;
}

/** Move the focus to a panel that opens, and back to its cell when it closes. */
function focusPanel(query) {
  const before = opened;
  if (!before) opener = document.activeElement;
  opened = query.has("system") ? withFilters(query, query.get("system"), query.get("environment")) : null;
  if (before === opened) return;
  requestAnimationFrame(() => {
    const place = opened ? document.getElementById("panel") : opener;
    place?.focus({ preventScroll: true });
  });
}

/** The address of the overview with the same filters, with the panel of an environment if one is named. */
function withFilters(query, system, environment) {
  const kept = Object.fromEntries(FILTERS.filter((name) => query.has(name)).map((name) => [name, 1]));
  return to({ ...kept, system, environment });
}

function choice(words, query, chosen) {
  return html`<a href=${Object.keys(query).length ? `#/?${new URLSearchParams(query)}` : "#/"}
    aria-current=${chosen ? "true" : nothing}>${words}</a>`;
}

/** The names of all environments, in the order of promotion: by their mean rank, then by name. */
function environmentsOf(systems) {
  const ranks = new Map();
  for (const { environments } of systems) {
    environments.forEach(({ name }, index) => {
      const position = environments.length > 1 ? index / (environments.length - 1) : 1;
      const [sum, count] = ranks.get(name) ?? [0, 0];
      ranks.set(name, [sum + position, count + 1]);
    });
  }
  const mean = (name) => ranks.get(name)[0] / ranks.get(name)[1];
  return [...ranks.keys()].sort((one, other) => mean(one) - mean(other) || (one < other ? -1 : 1));
}

function row(system, columns, query) {
  const filtered = FILTERS.some((name) => query.has(name));
  const byName = new Map(system.environments.map((environment) => [environment.name, environment]));
  return html`<tr>
    <th scope="row">
      <a href=${to("systems", system.key)} title=${system.name}><bdi>${system.key}</bdi></a>
      ${system.more_environments ? html`<span class="muted">and more</span>` : nothing}
    </th>
    ${columns.map((name) => {
      const environment = byName.get(name);
      return environment
        ? cell(system.key, environment, query)
        : html`<td class="absent" data-column=${name}><span aria-hidden="true">${filtered ? "" : "·"}</span><span class="unseen">${filtered ? "not among them" : "no such environment"}</span></td>`;
    })}
  </tr>`;
}

function cell(system, environment, query) {
  const { name, current, last_attempt: attempt } = environment;
  const flight = attempt?.state === "in_progress" ? attempt : null;
  const failed = attempt?.state === "failed" || environment.attention?.includes("lease-expired") ? attempt : null;
  return html`<td data-column=${name}>
    <div class="cell" @click=${follow}>
      <a class="whole" href=${withFilters(query, system, name)} aria-label="${system} in ${name}"></a>
      ${
        current
          ? html`<span class="mono" title=${current.artifact}>${short(current.artifact)}</span>
              <span class="age">${time(current.since, age)}</span> ${verified(current)}`
          : html`<span class="muted">never deployed</span>`
      }
      ${
        flight
          ? html`<span class="flight">${state("busy", html`${short(flight.artifact)} ${kind(flight)}`)}</span>`
          : nothing
      }
      ${failed ? state("bad", failed.state === "failed" ? `${short(failed.artifact)} failed` : "lease expired") : nothing}
      ${blocked(environment)} ${held(environment)}
      ${environment.commits_behind ? html`<span class="behind">${behind(environment.commits_behind)}</span>` : nothing}
    </div>
  </td>`;
}

/** Follow the cell's link from anywhere in the cell. */
function follow(event) {
  const link = event.currentTarget.querySelector("a");
  if (event.target === link) return;
  link.focus({ preventScroll: true });
  link.click();
}

function kind(attempt) {
  return { rollback: "rolling back", hotfix: "hotfix" }[attempt.kind] ?? "deploying";
}

function behind(count) {
  return count >= 100 ? "100+ behind" : `${count} behind`;
}

function verified(current) {
  if (current.failed_suites?.length) return state("bad", `${current.failed_suites[0]} failed`);
  return current.verified
    ? html`<span class="state good" title="verified">${mark("good")}<span class="unseen">verified</span></span>`
    : state("quiet", "unverified");
}

/** Show the strongest reason that blocks the next promotion, and its end. */
function blocked({ blocked: why }) {
  if (!why) return nothing;
  const soaking = why.codes.every((code) => code === "soaking");
  const code = ["marked-bad", "pinned", "frozen", "rolled-back", "verification-failed"].find((one) => why.codes.includes(one)) ?? why.codes[0];
  const all = why.codes.map((one) => BLOCKERS[one] ?? one).join(", ");
  return html`<span class="blocked" title="Next promotion: ${all}">${state(
    soaking ? "busy" : "warn",
    html`${/verif/.test(code) ? "next " : ""}${BLOCKERS[code] ?? code}${why.until ? html` to ${time(why.until, moment)}` : nothing}${
      why.codes.length > 1 ? html` <span class="muted">+${why.codes.length - 1}</span>` : nothing
    }`,
  )}</span>`;
}

/** Holds that stop nothing yet, because nothing waits. */
function held({ blocked: why, holds }) {
  if (!holds?.length || why) return nothing;
  return state("quiet", holds.map(({ kind }) => BLOCKERS[HELD[kind]])[0]);
}

const HELD = { freeze: "frozen", pin: "pinned", bad: "marked-bad" };
const ORDER = ["failed", "lease-expired", "stuck", "blocked", "unverified"];

function attention(systems, query) {
  const found = [];
  for (const { key, environments } of systems) {
    for (const environment of environments) {
      if (environment.attention?.length) found.push({ system: key, environment, reason: strongest(environment) });
    }
  }
  if (!found.length && !systems.length) return nothing;
  if (!found.length) return html`<section class="attention calm">${state("good", "Nothing needs attention")}</section>`;
  found.sort(
    (one, other) =>
      Number(other.environment.production ?? false) - Number(one.environment.production ?? false) ||
      ORDER.indexOf(one.reason) - ORDER.indexOf(other.reason),
  );
  const listed = query.has("attention") ? found : found.slice(0, MOST_ATTENTION);
  return html`<section class="attention" aria-labelledby="attention">
    <h2 id="attention">Needs attention <span class="count">${found.length}: ${summary(found)}</span></h2>
    <ul>${listed.map((one) => line(one, query))}</ul>
    ${
      found.length > listed.length
        ? html`<p><a href="#/?attention=1">Show all ${found.length}</a></p>`
        : nothing
    }
  </section>`;
}

/** "3 failed, 2 blocked; 4 of them in production". */
function summary(found) {
  const counts = ORDER.map((reason) => [reason, found.filter((one) => one.reason === reason).length]);
  const words = counts.filter(([, count]) => count).map(([reason, count]) => `${count} ${WORDS[reason] ?? reason}`);
  const production = found.filter(({ environment }) => environment.production).length;
  return `${words.join(", ")}; ${production} in production`;
}

function strongest({ attention }) {
  return ORDER.find((reason) => attention.includes(reason)) ?? attention[0];
}

const WORDS = { "lease-expired": "lease expired" };
const TONES = { failed: "bad", "lease-expired": "bad", stuck: "warn", blocked: "warn", unverified: "quiet" };

function line({ system, environment, reason }, query) {
  return html`<li>
    ${environment.current?.failed_suites?.length && reason === "unverified" ? state("bad", "suite failed") : state(TONES[reason] ?? "warn", WORDS[reason] ?? reason)}
    <a class="where" href=${withFilters(query, system, environment.name)}><strong>${system}</strong>
      <span>${environment.name}</span></a>
    <span class="why">${why(environment, reason)}${also(environment, reason)}</span>
    ${evidence(system, environment, reason)}
  </li>`;
}

function why({ current, last_attempt: attempt, blocked: block, holds }, reason) {
  const still = current ? html`, <span class="mono">${short(current.artifact)}</span> runs on` : ", nothing runs";
  switch (reason) {
    case "failed":
      return html`${attempt.kind ?? nothing} <span class="mono">${short(attempt.artifact)}</span> failed
        ${time(attempt.finished_at ?? attempt.started_at)}${attempt.detail ? `: ${attempt.detail}` : nothing}${still}`;
    case "lease-expired":
      return html`<span class="mono">${short(attempt.artifact)}</span> sent no status, so its lease ended
        ${time(attempt.finished_at ?? attempt.started_at)}${still}`;
    case "stuck":
      return html`in progress since ${time(attempt.started_at)}, lease ends ${time(attempt.lease_expires_at)}`;
    case "blocked":
      return html`${block.codes.map((code) => BLOCKERS[code] ?? code).join(", ")}
        ${block.until ? html`until ${time(block.until, moment)}` : nothing}
        ${holds?.map((hold) => html`<span class="muted">· ${hold.reason} (${hold.created_by})</span>`)}
        ${block.since ? html`<span class="muted">· waits ${time(block.since, waiting)}</span>` : nothing}`;
    default:
      return current?.failed_suites?.length
        ? html`${current.failed_suites.join(", ")} failed on <span class="mono">${short(current.artifact)}</span>
            <span class="muted">· ${time(current.since, age)}</span>`
        : html`no suite verified <span class="mono">${short(current.artifact)}</span>
            <span class="muted">· ${time(current.since, age)}</span>`;
  }
}

function waiting(iso) {
  const span = age(iso);
  return span === "now" ? "for a moment" : span;
}

/** The other reasons of the same environment. */
function also({ attention, blocked: block }, reason) {
  const others = attention
    .filter((other) => other !== reason)
    .map((other) => (other === "blocked" ? `blocked: ${block.codes.map((code) => BLOCKERS[code] ?? code).join(", ")}` : WORDS[other] ?? other));
  return others.length ? html`<span class="muted"> · also ${others.join("; ")}</span>` : nothing;
}

function evidence(system, { current, last_attempt: attempt, holds }, reason) {
  const deployment = reason === "unverified" ? current : attempt;
  if (reason === "blocked") {
    return holds?.length ? html`<a href=${to("holds", { system })}>${plural(holds.length, "hold")}</a>` : html`<span></span>`;
  }
  return deployment ? html`<a href=${to("systems", system, "deployments", deployment.id)}>deployment</a>` : html`<span></span>`;
}

/** The state of a service without systems: the commands that record the first deployment, filled in. */
function emptyState() {
  const send = (path, body) =>
    [
      `curl -s -H "Authorization: Bearer $TOKEN"`,
      `-H "Content-Type: application/json" -H "Idempotency-Key: $RANDOM-$RANDOM"`,
      `-d ${body}`,
      `${location.origin}/v1/systems${path}`,
    ].join(" \\\n  ");
  const deployment =
    `'{"environment": "development",` +
    ` "artifact": "tree:'$(git rev-parse HEAD^{tree})'", "revision": "'$(git rev-parse HEAD)'"}'`;
  const steps = [
    ["Get a token, in the checkout of the service", "TOKEN=$(make -s token ROLE=admin)"],
    ["Name your system", send("", `'{"key": "shop", "name": "Shop"}'`)],
    ["Name its first environment", send("/shop/environments", `'{"name": "development", "rank": 1}'`)],
    ["Record a deployment of what you have checked out", send("/shop/deployments", deployment)],
    [
      "Say that it succeeded. Its id is in the previous answer",
      send("/shop/deployments/1/statuses", `'{"state": "succeeded"}'`),
    ],
  ];
  return html`<section class="empty">
    <h1 tabindex="-1">Record your first deployment</h1>
    <p>No system is recorded yet. Five commands in a terminal change that, and this page shows it by itself.</p>
    <ol>
      ${steps.map(
        ([words, command], index) => html`<li>
          <p>${words}.</p>
          <div class="command">
            <pre tabindex="0" aria-label="Command ${index + 1}">${command}</pre>
            ${copyButton(command, "command")}
          </div>
        </li>`,
      )}
    </ol>
  </section>`;
}
