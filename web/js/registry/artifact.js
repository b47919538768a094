// An artifact's way through the environments.

import { html, nothing } from "../../vendor/lit-html.js";
import * as doing from "./doing.js";
import { BLOCKERS, short } from "../format.js";
import * as parts from "../parts.js";
import { to } from "../router.js";
import { verificationsTable } from "./deployment.js";
import { holdsTable } from "./holds.js";

export const title = ({ system, artifact }) => `Artifact ${short(artifact)} of ${system}`;

export async function load({ api, params, signal }) {
  const base = `/v1/systems/${encodeURIComponent(params.system)}`;
  const history = await api.get(`${base}/artifacts/${encodeURIComponent(params.artifact)}`, signal);
  const [environments, marks] = await Promise.all([
    api.all(`${base}/environments?limit=200`, signal),
    api.get(`${base}/holds?artifact=${encodeURIComponent(history.artifact)}&limit=20`, signal),
  ]);
  return { history, environments, marks: marks.items };
}

export function render({ history, environments, marks }, context) {
  const { system, artifact, deployments, verifications, decisions } = history;
  const mine = parts.may(context.me, "maintainer", system);
  const bad = marks.some((hold) => hold.kind === "bad" && hold.state === "active");
  const ordered = [...environments].sort((one, other) => one.rank - other.rank);
  return html`
    ${parts.heading(html`Artifact <span class="mono">${short(artifact)}</span>`, {
      trail: [["Overview", to()], [system, to("systems", system)]],
      actions: parts.action(mine && !bad, "Mark bad", () => doing.markBad(context, system, artifact)),
      note: html`<p class="text"><span class="mono">${artifact}</span>${parts.copyButton(artifact, "artifact")}
        ${bad ? parts.state("bad", "marked bad") : nothing}</p>`,
    })}
    <section class="part">
      <h2>Its way</h2>
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
                ${parts.action(true, "Why not?", () => doing.whyNot(context, system, environment, artifact))}
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
