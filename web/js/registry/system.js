// A system: its environments as lanes in the order of promotion.

import { html, nothing } from "../../vendor/lit-html.js";
import { ofSystem } from "../api.js";
import * as doing from "./doing.js";
import { moment, pagesOf, plural, short, span } from "../format.js";
import * as parts from "../parts.js";
import { to } from "../router.js";
import { holdsTable, releaseButton } from "./lists.js";

const MOST_RECENT = 5;
const ASK_AGAIN_MS = 60_000;
const APPROVALS = { active: "good", used: "good", expired: "quiet", void: "quiet", withdrawn: "quiet" };
let decided = { facts: [], at: 0, answers: new Map() };

export const title = ({ system }) => system;

/** Load the system. With `only`, load what is next for this environment alone. */
export async function load({ api, params, signal }, only) {
  const base = ofSystem(params.system);
  const [system, state, environments, recent, holds, approvals] = await Promise.all([
    api.get(base, signal),
    api.get(`${base}/state`, signal),
    api.all(`${base}/environments?limit=200`, signal),
    api.get(`${base}/deployments?workspace=default&limit=100`, signal),
    api.get(`${base}/holds?state=active&limit=50`, signal),
    api.get(`${base}/approvals?limit=20`, signal),
  ]);
  const lanes = lanesOf(environments, state, recent.items).filter(({ name }) => !only || name === only);
  const decisions = await decisionsFor(api, base, lanes, [state, environments, holds, approvals]);
  const changes = new Map(
    await Promise.all(
      lanes
        .filter(({ next }) => next)
        .map(async ({ name }) => [name, await api.get(ofSystem(params.system, "environments", name, "changes"), signal)]),
    ),
  );
  return { system, lanes, environments, workspaces: state.targets.filter(({ workspace }) => workspace !== "default"), holds: holds.items, approvals: approvals.items, decisions, changes };
}

function lanesOf(environments, { targets }, recent) {
  let before = null;
  return [...environments]
    .sort((one, other) => one.rank - other.rank)
    .map((environment) => {
      const target = targets.find((one) => one.environment === environment.name && one.workspace === "default");
      const current = target?.current ?? null;
      const attempt = target?.last_attempt;
      const lane = {
        ...environment,
        current,
        verifications: target?.verifications ?? [],
        flight: attempt?.state === "in_progress" ? attempt : null,
        failed: attempt && attempt.id !== current?.id && attempt.state !== "in_progress" ? attempt : null,
        rollback: target?.rollback_to ?? null,
        before: before?.name ?? null,
        next: before?.current && before.current.artifact !== current?.artifact ? before.current.artifact : null,
        recent: recent.filter((one) => one.environment === environment.name).slice(0, MOST_RECENT),
      };
      before = lane;
      return lane;
    });
}

/** Ask the gate again only if a fact changed, or after a minute, because time passes. */
async function decisionsFor(api, base, lanes, facts) {
  const asked = lanes.filter((lane) => lane.next);
  const fresh = Date.now() - decided.at < ASK_AGAIN_MS && facts.every((fact, index) => Object.is(fact, decided.facts[index]) || Array.isArray(fact));
  if (fresh && asked.every(({ name }) => decided.answers.has(name))) return decided.answers;
  const answers = new Map();
  for (const { name, next } of asked) {
    const body = { environment: name, artifact: next, dry_run: true };
    answers.set(name, await api.send("POST", `${base}/promotions`, body, { key: crypto.randomUUID() }));
  }
  decided = { facts, at: Date.now(), answers };
  return answers;
}

export function render(data, context) {
  const { system, lanes, holds, approvals, environments, workspaces } = data;
  const mine = parts.may(context.me, "maintainer", system.key);
  return html`
    ${parts.heading(system.name, {
      system: true,
      actions: html`
        ${parts.outside(system.repository, "Repository")} <a href=${to("systems", system.key, "settings")}>Settings</a>
        ${parts.action(mine, "Freeze all environments", () => doing.freeze(context, system.key, environments))}
      `,
      note: html`<p class="muted"><span class="mono">${system.key}</span></p>
        ${system.description ? html`<p class="text clamp" title=${system.description}>${system.description}</p>` : nothing}`,
    })}
    ${
      lanes.length
        ? html`<div class="lanes">${lanes.map((lane) => laneView(lane, data, context))}</div>`
        : parts.nothingHere("This system has no environment yet. Its maintainers create environments with the API.")
    }
    <section class="part">
      <h2>Holds</h2>
      ${holds.length ? holdsTable(holds, context, environments) : parts.nothingHere("No hold is in force.")}
      <p><a href=${to("holds", { system: system.key })}>All holds of ${system.key}</a></p>
    </section>
    <section class="part">
      <h2>Approvals</h2>
      ${approvals.length ? approvalsTable(approvals, context) : parts.nothingHere("Nothing was approved yet.")}
    </section>
    <section class="part">
      <h2>Workspaces</h2>
      <p>${workspaces.length ? `${plural(workspaces.length, "copy", "copies")} of environments. ` : "No copy of an environment runs. "}
        <a href=${to("workspaces", { system: system.key })}>Workspaces of ${system.key}</a></p>
    </section>
  `;
}

function laneView(lane, data, context) {
  return html`<section class="lane" aria-label=${lane.name}>
    <header>
      <h2>${lane.name}</h2>
      ${lane.production && lane.name !== "production" ? html`<span class="tag">production</span>` : nothing} ${parts.outside(lane.base_url, "Open")}
    </header>
    ${laneBody(lane, data, context)}
  </section>`;
}

/** Show what runs in an environment, and what is in flight, next and recent. */
export function laneBody(lane, { system, environments, decisions, changes, holds, approvals }, context) {
  const { key, repository } = system;
  const change = changes.get(lane.name);
  const older = change?.ahead_by === 0;
  const consents = approvals.filter((one) => one.state === "active" && one.environment === lane.name && one.artifact === lane.next);
  const held = holds.filter((hold) => hold.kind !== "bad" && (!hold.environment || hold.environment === lane.name) && (!hold.production || lane.production));
  const mine = parts.may(context.me, "maintainer", key);
  return html`
    <h3>Now</h3>
    ${lane.current ? now(lane, key, repository) : html`<p class="muted stack">never deployed</p>`}
    ${lane.flight ? flight(lane.flight, key) : nothing} ${lane.failed ? lastAttempt(lane.failed, key) : nothing}
    ${held.length ? html`<h3>Holds</h3>${held.map((hold) => holdLine(hold, context, environments))}` : nothing}
    ${lane.before ? next(lane, system, decisions.get(lane.name), change, consents) : nothing}
    <h3>Requires</h3>
    <p class="stack">${requires(lane)}</p>
    <h3>Recent</h3>
    ${lane.recent.length ? html`<ul class="recent">${lane.recent.map((one) => recent(one, key))}</ul>` : html`<p class="muted">Nothing yet</p>`}
    <div class="actions">
      ${parts.action(lane.next, "Ask the gate", () => doing.askGate(context, key, lane, lane.next))}
      ${parts.action(
        mine && lane.next && lane.required_approvals && !older && consents.every((one) => one.created_by !== context.me.subject),
        "Approve",
        () => doing.approve(context, key, lane, lane.next, change),
      )}
      ${parts.action(mine, "Freeze", () => doing.freeze(context, key, [lane], lane.name))}
      ${parts.action(mine && lane.current, "Pin", () => doing.pin(context, key, lane, lane.current.artifact))}
    </div>`;
}

function now({ current, verifications, rollback }, key, repository) {
  return html`<p class="stack now">${parts.artifact(key, current.artifact)} <span class="muted">${parts.time(current.finished_at)}</span></p>
    <p class="stack">
      <a href=${to("systems", key, "deployments", current.id)}>deployment ${current.id}</a>
      ${current.revision ? parts.commit(current.revision, repository) : nothing} ${parts.outside(current.run_url, "run")}
    </p>
    <p class="stack">
      ${
        verifications.length
          ? verifications.map((one) => html`<span>${one.suite} ${parts.outcome(one)} <span class="muted">${parts.time(one.finished_at)}</span></span>`)
          : parts.state("quiet", "not verified yet")
      }
    </p>
    ${rollback ? html`<p class="stack"><span class="muted">A rollback goes to</span> ${parts.artifact(key, rollback, { copy: false })}</p>` : nothing}`;
}

function flight(attempt, key) {
  return html`<p class="stack">
    ${parts.state("busy", `${attempt.kind} in progress`)} ${parts.artifact(key, attempt.artifact, { copy: false })}
    <a href=${to("systems", key, "deployments", attempt.id)}>since ${parts.time(attempt.started_at, moment)}</a>
    <span class="muted">lease ends ${parts.time(attempt.lease_expires_at)}</span>
  </p>`;
}

function lastAttempt(attempt, key) {
  return html`<p class="stack">
    ${parts.deploymentState(attempt)} <span>${attempt.kind} of</span> ${parts.artifact(key, attempt.artifact, { copy: false })}
    <a href=${to("systems", key, "deployments", attempt.id)}>${parts.time(attempt.finished_at ?? attempt.started_at)}</a>
    <span class="text">${attempt.detail}</span>
  </p>`;
}

function holdLine(hold, context, environments) {
  return html`<p class="stack">
    ${parts.state("warn", hold.kind)} <span class="text">${hold.reason}</span>
    <span class="muted">by ${hold.created_by} ${parts.time(hold.starts_at)}${hold.ends_at ? html`, until ${parts.time(hold.ends_at, moment)}` : nothing}</span>
    ${releaseButton(hold, context, environments)}
  </p>`;
}

function next(lane, { key, repository }, decision, change, consents) {
  if (lane.next && change?.ahead_by === 0) {
    return html`<h3>Next</h3><p class="muted stack">nothing: ${lane.before} has an older artifact, ${parts.artifact(key, lane.next, { copy: false })}</p>`;
  }
  if (!lane.next) return html`<h3>Next</h3><p class="muted stack">nothing newer in ${lane.before}</p>`;
  return html`<h3>Next</h3>
    <p class="stack">
      ${parts.artifact(key, lane.next)}
      ${decision?.decision === "granted" ? parts.state("good", "may enter") : nothing}
      <a href=${to("systems", key, "environments", lane.name, "changes")}>${
        change?.ahead_by == null ? "changes" : plural(change.ahead_by, "change")
      }</a>
      ${change?.behind_by ? parts.state("warn", `loses ${plural(change.behind_by, "commit")}`) : nothing}
      ${consents.map((one) => parts.state("good", `approved by ${one.created_by}`))}
      ${/^https:\/\/github\.com\//i.test(repository ?? "") ? parts.outside(`${pagesOf(repository)}/pulls`, "pull requests") : nothing}
    </p>
    ${decision ? html`${parts.blockers(decision.blockers, key)} ${parts.stillRequired(decision.still_required)}` : nothing}`;
}

function requires({ required_suites, required_soak_seconds, required_approvals, before }) {
  if (!before) return html`<span class="muted">nothing: it is the first</span>`;
  const words = [
    `verified${required_suites.length ? ` by ${required_suites.join(", ")}` : ""} in ${before}`,
    required_soak_seconds ? `${span(required_soak_seconds)} of soak there` : "",
    required_approvals ? plural(required_approvals, "approval") : "",
  ];
  return words.filter(Boolean).join(", ");
}

function recent(one, key) {
  return html`<li>
    <a href=${to("systems", key, "deployments", one.id)} aria-label="Deployment ${one.id}">${one.id}</a>
    <span class="mono" title=${one.artifact}>${short(one.artifact)}</span> ${parts.deploymentState(one)}
    ${one.kind === "rollout" ? nothing : html`<span class="tag">${one.kind}</span>`}
    ${one.override_reason ? html`<span class="tag" title=${one.override_reason}>overridden</span>` : nothing}
    <span class="muted">${parts.time(one.finished_at ?? one.started_at)}</span>
  </li>`;
}

function approvalsTable(approvals, context) {
  return parts.table(
    "Approvals",
    ["State", "Artifact", "Environment", "By", "Comment", "Given", "Ends", ""],
    approvals.map(
      (one) => html`<tr>
        <td>${parts.state(APPROVALS[one.state] ?? "quiet", one.state)}</td>
        <td>${parts.artifact(one.system, one.artifact)}</td>
        <td>${one.environment}</td>
        <td class="wide text">${one.created_by}</td>
        <td class="wide text">${one.comment ?? ""}${one.withdrawal_reason ? html`<br />${one.withdrawal_reason}` : nothing}</td>
        <td>${parts.time(one.created_at)}</td>
        <td>${parts.time(one.expires_at)}</td>
        <td>${parts.action(one.state === "active" && parts.may(context.me, "maintainer", one.system), "Withdraw", () => doing.withdraw(context, one))}</td>
      </tr>`,
    ),
  );
}
