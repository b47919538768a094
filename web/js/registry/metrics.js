// Delivery metrics: the figures of each system's last environment, or those of one system with plots over time.

import { html, nothing, svg } from "../../vendor/lit-html.js";
import { ofSystem } from "../api.js";
import { day, plural, span } from "../format.js";
import * as parts from "../parts.js";
import { to } from "../router.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
// Days, what they are called, and the periods of their plots. More than 90 days are for one system alone.
const WINDOWS = [
  [30, "30 days", "day"],
  [84, "12 weeks", "week"],
  [365, "12 months", "month"],
];
const percent = (share) => `${Math.round(share * 1000) / 10} %`;

// Each figure: its key, its name, its meaning, the field with its value, how the value is said, what a sample is (null if
// the value counts the samples), and what is said beside it.
const FIGURES = [
  ["deployment_frequency", "Deployments", "Succeeded rollouts and hotfixes", "deployments", String, null,
    ({ per_day, days }) => `${Math.round(per_day * 100) / 100} a day, on ${plural(days, "day")}`],
  ["change_lead_time_seconds", "Lead time of changes", "From commit to deployment, median", "median", span, "change",
    ({ p90, anomalies }) => `90 % within ${span(p90)}${anomalies ? `; ${anomalies} with a date after their deployment` : ""}`],
  ["change_fail_rate", "Failed in use", "Share of rollouts and hotfixes that failed in use", "value", percent, "deployment",
    ({ failed_attempts }) => (failed_attempts ? `${plural(failed_attempts, "attempt")} failed before it was in use` : "")],
  ["failed_deployment_recovery_time_seconds", "Time to recover", "From a failure in use to the next good deployment, median",
    "median", span, "failure", ({ unrecovered }) => (unrecovered ? `${unrecovered} not recovered yet` : "")],
  ["deployment_rework_rate", "Rework", "Share of deployments that are hotfixes or rollbacks", "value", percent, "deployment", () => ""],
];

export const title = () => "Metrics";
export const filtered = true;

export async function load({ api, query, signal }) {
  const system = query.get("system");
  const chosen = WINDOWS.find(([days]) => String(days) === query.get("days")) ?? WINDOWS[1];
  const [days, , per] = system || chosen[0] <= 90 ? chosen : WINDOWS[1];
  // A window that ends with the hour has the same address for an hour, so most refreshes cost a 304.
  const end = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
  const window = `from=${iso(end - days * DAY_MS)}&to=${iso(end)}`;
  const answer = system
    ? await api.get(`${ofSystem(system, "metrics")}?${window}&per=${per}`, signal)
    : await api.all(`/v1/metrics?${window}&limit=50`, signal);
  return { system, days, per, answer };
}

export function render(data, context) {
  const { system, days } = data;
  const windows = WINDOWS.filter(([each]) => system || each <= 90);
  return html`
    ${parts.heading(system ? `Metrics of ${system}` : "Metrics", {
      system,
      actions: html`<nav class="choices" aria-label="Period">${windows.map(
        ([each, words]) => html`<a href=${to("metrics", { system, days: each })} aria-current=${each === days ? "true" : nothing}>${words}</a>`,
      )}</nav>`,
      note: html`<p class="muted">They count each system's environment with the highest rank. A figure without samples is not zero.</p>`,
    })}
    ${system ? ofOne(data, context.query) : ofAll(data, context.filter)}
  `;
}

function ofAll({ days, answer }, filter) {
  const wanted = filter.trim().toLowerCase();
  const shown = answer.filter(({ system }) => system.includes(wanted));
  if (!shown.length) return parts.nothingHere(wanted ? "No system matches." : "There is no system yet.");
  return parts.table(
    "Metrics of each system",
    ["System", "Environment", ...FIGURES.map(([, name]) => name), "Waits"],
    shown.map(
      (each) => html`<tr>
        <th scope="row"><a href=${to("metrics", { system: each.system, days })}>${each.system}</a></th>
        <td>${each.environment ?? html`<span class="muted">none</span>`}</td>
        ${FIGURES.map(([key, , , field, say, sample]) => html`<td>${value(each[key], field, say)} <span class="muted">${samples(each[key], sample)}</span></td>`)}
        <td>${waits(each)}</td>
      </tr>`,
    ),
  );
}

function ofOne({ system, days, per, answer }, query) {
  if (!answer.environment) return parts.nothingHere("The system has no environment yet.");
  return html`
    <p class="waits">Not yet in ${answer.environment}: ${waits(answer)}</p>
    <div class="figures">${FIGURES.map((figure) => card(figure, answer, per, (more) => to("metrics", { system, days, ...more })))}</div>
    ${contributing(system, per, answer, query)}
  `;
}

function card([key, name, meaning, field, say, sample, beside], answer, per, address) {
  const figure = answer[key];
  const periods = answer.periods.map((period) => [period.from, period[key]]);
  const highest = Math.max(0, ...periods.map(([, each]) => each[field] ?? 0));
  const known = [samples(figure, sample), figure[field] === null ? "" : beside(figure)].filter(Boolean);
  return html`<section class="figure">
    <h2>${name}</h2>
    <p class="muted">${meaning}</p>
    <p class="number">${value(figure, field, say)}</p>
    <p class="muted">${known.join("; ")}</p>
    ${plot(`${name} by ${per}`, periods, field, say, highest)}
    <details>
      <summary>By ${per}, at most ${say(highest)}</summary>
      ${parts.table(
        `${name} by ${per}`,
        [`From`, name, "Samples"],
        periods
          .filter(([, each]) => each.sample_size)
          .map(([from, each]) => html`<tr>
            <td>${parts.time(from, day)}</td>
            <td>${value(each, field, say)}</td>
            <td><a href=${address({ figure: key, at: from })}>${each.sample_size}</a></td>
          </tr>`),
      )}
    </details>
    <p>${figure.contributing.length ? html`<a href=${address({ figure: key })}>Show the deployments</a>` : nothing}</p>
  </section>`;
}

/** A bar for each period. The table beside it has the same values. */
function plot(name, periods, field, say, highest) {
  const values = periods.map(([, each]) => each[field]);
  return html`<svg class="plot" viewBox="0 0 ${values.length * 10} 40" preserveAspectRatio="none" role="img"
    aria-label="${name}, at most ${say(highest)}">
    ${values.map((each, index) => {
      const height = each === null ? 0 : Math.max(1, (each / (highest || 1)) * 39);
      return svg`<rect x=${index * 10 + 1} y=${40 - height} width="8" height=${height}><title>${each === null ? "no data" : say(each)}</title></rect>`;
    })}
  </svg>`;
}

/** The deployments behind the figure that was chosen. */
function contributing(system, per, answer, query) {
  const figure = FIGURES.find(([key]) => key === query.get("figure"));
  const at = query.get("at");
  const period = at ? answer.periods.find(({ from }) => from === at) : answer;
  if (!figure || !period) return nothing;
  const ids = period[figure[0]].contributing;
  return html`<section class="part">
    <h2>${figure[1]}${at ? html`, ${per} from ${parts.time(at, day)}` : nothing}: deployments</h2>
    ${
      ids.length
        ? html`<ul class="ids">${ids.map((id) => html`<li><a href=${to("systems", system, "deployments", id)}>${id}</a></li>`)}</ul>
            ${ids.length === 50 ? html`<p class="muted">These are the first 50.</p>` : nothing}`
        : parts.nothingHere("No deployment contributed.")
    }
  </section>`;
}

function value(figure, field, say) {
  return figure[field] === null ? html`<span class="muted">no data</span>` : say(figure[field]);
}

function samples({ sample_size }, sample) {
  return sample && sample_size ? `of ${plural(sample_size, sample)}` : "";
}

function waits({ system, environment, waiting }) {
  if (!waiting.changes) return html`<span class="muted">${waiting.changes === 0 ? "nothing waits" : "unknown"}</span>`;
  return html`<a href=${to("systems", system, "environments", environment, "changes")}>${plural(waiting.changes, "change")}</a>
    <span class="muted">the oldest for ${span(waiting.oldest_seconds)}</span>`;
}

const iso = (milliseconds) => new Date(milliseconds).toISOString().replace(".000", "");
