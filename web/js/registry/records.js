// The pages of single records: an artifact's way through the environments, a deployment, and the changes that would ship.

import { html, nothing } from "../../vendor/lit-html.js";
import { ofSystem } from "../api.js";
import * as doing from "./doing.js";
import { BLOCKERS, plural, short } from "../format.js";
import { holdsTable } from "./lists.js";
import * as parts from "../parts.js";
import { to } from "../router.js";

const artifactTitle = ({ system, artifact }) => `Artifact ${short(artifact)} of ${system}`;

async function artifactLoad({ api, params, signal }) {
  const base = ofSystem(params.system);
  const history = await api.get(ofSystem(params.system, "artifacts", params.artifact), signal);
  const [environments, marks] = await Promise.all([
    api.all(`${base}/environments?limit=200`, signal),
    api.get(`${base}/holds?artifact=${history.artifact}&limit=20`, signal),
  ]);
  return { history, environments, marks: marks.items };
}

function artifactRender({ history, environments, marks }, context) {
  const { system, artifact, deployments, verifications, decisions } = history;
  const mine = parts.may(context.me, "maintainer", system);
  const bad = marks.some((hold) => hold.kind === "bad" && hold.state === "active");
  const ordered = [...environments].sort((one, other) => one.rank - other.rank);
  return html`
    ${parts.heading(html`Artifact <span class="mono">${short(artifact)}</span>`, {
      system,
      actions: parts.action(mine && !bad, "Mark bad", () => doing.markBad(context, system, artifact)),
      note: html`<p class="text"><span class="mono">${artifact}</span>${parts.copyButton(artifact, "artifact")}
        ${bad ? parts.state("bad", "marked bad") : nothing}</p>`,
    })}
    <section class="part">
      <h2>Where it is</h2>
      ${parts.table(
        "Environments",
        ["Environment", "Latest deployment", "When", "Verified", ""],
        ordered.map((environment) => {
          const own = deployments.filter((one) => one.environment === environment.name && one.workspace === "default");
          const latest = own.reduce((one, other) => (one && one.started_at > other.started_at ? one : other), null);
          return html`<tr>
            <td>${environment.name} ${environment.production && environment.name !== "production" ? html`<span class="tag">production</span>` : nothing}</td>
            <td>${latest ? html`<a href=${to("systems", system, "deployments", latest.id)}>${latest.id}</a> ${parts.deploymentState(latest)}` : parts.state("quiet", "not there")}</td>
            <td>${latest ? parts.time(latest.finished_at ?? latest.started_at) : nothing}</td>
            <td>${latest ? verdict(verifications.filter((one) => one.deployment === latest.id)) : nothing}</td>
            <td>
              <span class="actions">
                ${parts.action(true, "Ask the gate", () => doing.askGate(context, system, environment, artifact))}
                ${parts.action(mine && environment.required_approvals, "Approve", () => doing.approve(context, system, environment, artifact))}
              </span>
            </td>
          </tr>`;
        }),
      )}
    </section>
    ${marks.length ? html`<section class="part"><h2>Holds</h2>${holdsTable(marks, context, environments)}</section>` : nothing}
    <section class="part">
      <h2>Verifications</h2>
      ${verifications.length ? verificationsTable(verifications) : parts.nothingHere("No suite has tested it.")}
      ${history.more_verifications ? html`<p class="muted">There are more.</p>` : nothing}
    </section>
    <section class="part">
      <h2>What the gate says now</h2>
      ${
        decisions.length
          ? parts.table(
              "Decisions",
              ["Decision", "Environment", "Blockers", "At"],
              decisions.map(
                (one) => html`<tr>
                  <td>${one.decision === "granted" ? parts.state("good", "granted") : parts.state("warn", "denied")}</td>
                  <td>${one.environment}</td>
                  <td class="wide">${one.blockers.map(({ code }) => BLOCKERS[code] ?? code).join(", ")}</td>
                  <td>${parts.time(one.decided_at)}</td>
                </tr>`,
              ),
            )
          : parts.nothingHere("The gate has decided nothing about it yet.")
      }
    </section>
  `;
}

function verdict(verifications) {
  if (!verifications.length) return parts.state("quiet", "not verified");
  return verifications.slice(0, 3).map((one) => html`<span class="text">${one.suite}</span> ${parts.outcome(one)} `);
}

const deploymentTitle = ({ system, deployment }) => `Deployment ${deployment} of ${system}`;

async function deploymentLoad({ api, params, signal }) {
  const system = ofSystem(params.system);
  const base = ofSystem(params.system, "deployments", params.deployment);
  const [owner, deployment, statuses, verifications, commits] = await Promise.all([
    api.get(system, signal),
    api.get(base, signal),
    api.get(`${base}/statuses?limit=50`, signal),
    api.get(`${system}/verifications?deployment=${encodeURIComponent(params.deployment)}&limit=50`, signal),
    api.get(`${base}/commits?limit=100`, signal),
  ]);
  return { owner, deployment, statuses: statuses.items, verifications: verifications.items, commits };
}

function deploymentRender({ owner, deployment: one, statuses, verifications, commits }) {
  const key = one.system;
  return html`
    ${parts.heading(`Deployment ${one.id}`, {
      system: key,
      actions: parts.outside(one.run_url, "Run of the pipeline"),
      note: html`<p class="stack">${parts.deploymentState(one)} ${one.kind} of ${parts.artifact(key, one.artifact)} to
        <a href=${to("systems", key, { environment: one.environment })}>${one.environment}</a>
        ${one.workspace === "default" ? nothing : html`<span class="tag">workspace ${one.workspace}</span>`}
        ${one.imported ? html`<span class="tag">imported</span>` : nothing}</p>`,
    })}
    <dl class="facts">
      ${one.revision ? html`<dt>Revision</dt><dd>${parts.commit(one.revision, owner.repository)}</dd>` : nothing}
      <dt>Started</dt><dd>${parts.time(one.started_at)} <span class="muted">by <bdi>${one.created_by}</bdi></span></dd>
      ${one.finished_at ? html`<dt>Finished</dt><dd>${parts.time(one.finished_at)}</dd>` : nothing}
      ${one.lease_expires_at ? html`<dt>Lease ends</dt><dd>${parts.time(one.lease_expires_at)}</dd>` : nothing}
      ${one.run_actor ? html`<dt>Run by</dt><dd class="text">${one.run_actor}</dd>` : nothing}
      ${one.detail ? html`<dt>Detail</dt><dd class="text">${one.detail}</dd>` : nothing}
      ${
        one.override_reason
          ? html`<dt>Overridden</dt><dd class="text"><span class="warn">${parts.mark("warn")}</span> ${one.override_reason}
              ${one.overridden?.length ? html`<span class="muted">past ${one.overridden.map((code) => BLOCKERS[code] ?? code).join(", ")}</span>` : nothing}</dd>`
          : nothing
      }
    </dl>
    <section class="part">
      <h2>Verifications</h2>
      ${verifications.length ? verificationsTable(verifications) : parts.nothingHere("No suite has tested it.")}
    </section>
    ${
      statuses.length
        ? html`<section class="part">
            <h2>Statuses</h2>
            ${parts.table(
              "Statuses",
              ["State", "Detail", "By", "At"],
              statuses.map(
                (status) => html`<tr>
                  <td>${parts.deploymentState(status)}</td>
                  <td class="wide text">${status.detail ?? ""}</td>
                  <td class="text">${status.created_by}</td>
                  <td>${parts.time(status.created_at)}</td>
                </tr>`,
              ),
            )}
          </section>`
        : nothing
    }
    <section class="part">
      <h2>Commits</h2>
      ${commits.items.length ? commitsTable(commits.items, owner.repository) : parts.nothingHere("It brought no commit, or names none.")}
      ${commits.next ? html`<p class="muted">These are the first ${commits.items.length}.</p>` : nothing}
    </section>
  `;
}

function verificationsTable(verifications) {
  return parts.table(
    "Verifications",
    ["Outcome", "Suite", "Trigger", "Passed", "Failed", "Skipped", "At", ""],
    verifications.map(
      (one) => html`<tr>
        <td>${parts.outcome(one)}</td>
        <td class="text">${one.suite}</td>
        <td>${one.trigger}</td>
        <td>${one.passed ?? ""}</td>
        <td>${one.failed ?? ""}</td>
        <td>${one.skipped ?? ""}</td>
        <td>${parts.time(one.finished_at)}</td>
        <td>${parts.outside(one.run_url, "run")}</td>
      </tr>`,
    ),
  );
}

function commitsTable(commits, repository) {
  return parts.table(
    "Commits",
    ["Commit", "Subject", "Written"],
    commits.map(
      (one) => html`<tr>
        <td>${parts.commit(one.sha, repository)}</td>
        <td class="wide text">${one.subject ?? html`<span class="muted">unknown</span>`}</td>
        <td>${parts.time(one.authored_at)}</td>
      </tr>`,
    ),
  );
}

const changesTitle = ({ system, environment }) => `Changes for ${environment} of ${system}`;

async function changesLoad({ api, params, query, signal }) {
  const base = ofSystem(params.system);
  const artifact = query.get("artifact");
  const [system, changes] = await Promise.all([
    api.get(base, signal),
    api.get(
      `${ofSystem(params.system, "environments", params.environment, "changes")}${artifact ? `?artifact=${encodeURIComponent(artifact)}` : ""}`,
      signal,
    ),
  ]);
  return { system, changes };
}

function changesRender({ system, changes }, { params }) {
  const { key, repository } = system;
  const { base, head } = changes;
  return html`
    ${parts.heading(`Changes for ${params.environment}`, {
      system: key,
      actions: parts.outside(changes.compare_url, "Compare"),
      note: html`<p class="stack">
        ${base ? html`from ${parts.artifact(key, base.artifact)}` : "nothing runs there yet;"}
        ${head ? html`to ${parts.artifact(key, head.artifact)}` : "and the environment before has nothing newer"}
      </p>`,
    })}
    <section class="part">
      <h2>${count(changes.ahead_by, changes.more_commits)} to come</h2>
      ${changes.commits.length ? commitsTable(changes.commits, repository) : parts.nothingHere(changes.ahead_by === 0 ? "It has every commit already." : "Which commits come is unknown.")}
    </section>
    ${
      changes.removed.length
        ? html`<section class="part">
            <h2>${count(changes.behind_by, changes.more_removed)} to go</h2>
            <p class="muted">${params.environment} has these, and would lose them.</p>
            ${commitsTable(changes.removed, repository)}
          </section>`
        : nothing
    }
  `;
}

function count(number, more) {
  if (number === null) return "An unknown number of commits";
  return more ? `More than ${plural(number, "commit")}` : plural(number, "commit");
}

export const artifact = { title: artifactTitle, load: artifactLoad, render: artifactRender };
export const deployment = { title: deploymentTitle, load: deploymentLoad, render: deploymentRender };
export const changes = { title: changesTitle, load: changesLoad, render: changesRender };
