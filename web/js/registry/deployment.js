// One deployment: what went where, when, by whom, what verified it, and which commits it brought.

import { html, nothing } from "../../vendor/lit-html.js";
import { BLOCKERS } from "../format.js";
import * as parts from "../parts.js";
import { to } from "../router.js";

export const title = ({ system, deployment }) => `Deployment ${deployment} of ${system}`;

export async function load({ api, params, signal }) {
  const system = `/v1/systems/${encodeURIComponent(params.system)}`;
  const base = `${system}/deployments/${encodeURIComponent(params.deployment)}`;
  const [owner, deployment, statuses, verifications, commits] = await Promise.all([
    api.get(system, signal),
    api.get(base, signal),
    api.get(`${base}/statuses?limit=50`, signal),
    api.get(`${system}/verifications?deployment=${encodeURIComponent(params.deployment)}&limit=50`, signal),
    api.get(`${base}/commits?limit=100`, signal),
  ]);
  return { owner, deployment, statuses: statuses.items, verifications: verifications.items, commits };
}

export function render({ owner, deployment: one, statuses, verifications, commits }) {
  const key = one.system;
  return html`
    ${parts.heading(`Deployment ${one.id}`, {
      trail: [["Overview", to()], [key, to("systems", key)]],
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

export function verificationsTable(verifications) {
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

export function commitsTable(commits, repository) {
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
