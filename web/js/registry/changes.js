// The changes that the next promotion into an environment would bring.

import { html, nothing } from "../../vendor/lit-html.js";
import { plural } from "../format.js";
import * as parts from "../parts.js";
import { to } from "../router.js";
import { commitsTable } from "./deployment.js";

export const title = ({ system, environment }) => `Changes for ${environment} of ${system}`;

export async function load({ api, params, query, signal }) {
  const base = `/v1/systems/${encodeURIComponent(params.system)}`;
  const artifact = query.get("artifact");
  const [system, changes] = await Promise.all([
    api.get(base, signal),
    api.get(
      `${base}/environments/${encodeURIComponent(params.environment)}/changes${artifact ? `?artifact=${encodeURIComponent(artifact)}` : ""}`,
      signal,
    ),
  ]);
  return { system, changes };
}

export function render({ system, changes }, { params }) {
  const { key, repository } = system;
  const { base, head } = changes;
  return html`
    ${parts.heading(`Changes for ${params.environment}`, {
      trail: [["Overview", to()], [key, to("systems", key, { environment: params.environment })]],
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
