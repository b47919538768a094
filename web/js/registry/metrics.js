// Delivery metrics: the figures of each system's last environment, or those of one system with plots over time.

import { html, nothing, svg } from "../../vendor/lit-html.js";
import { ofSystem } from "../api.js";
import { plural, span } from "../format.js";
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
const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
];
// Periods begin at midnight in UTC.
const dayInUtc = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const day = (iso) => dayInUtc.format(new Date(iso));
const percent = (share) => `${rounded(share * 100)} %`;

// Each figure: its key, its name, its meaning, the field with its value, how the value is said, what a sample is (null if
// the value counts the samples), and what is said beside it, also if there is no value.
const FIGURES = [
  ["deployment_frequency", "Deployments", "Succeeded rollouts and hotfixes", "deployments", String, null,
    ({ per_day, days }) => (days ? `${rounded(per_day)} a day, on ${plural(days, "day")}` : "")],
  ["change_lead_time_seconds", "Lead time of changes", "From commit to deployment, median", "median", lasted, "change",
    ({ p90, anomalies }) =>
      [p90 !== null && `90 % within ${lasted(p90)}`, anomalies && `${anomalies} with a date after their deployment`]
        .filter(Boolean)
        .join("; ")],
  ["change_fail_rate", "Failed in use", "Share of rollouts and hotfixes that failed in use", "value", percent, "deployment",
    ({ failed_attempts }) => (failed_attempts ? `${plural(failed_attempts, "attempt")} failed before it was in use` : "")],
  ["failed_deployment_recovery_time_seconds", "Time to recover", "From a failure in use to the next good deployment, median",
    "median", lasted, "failure", ({ unrecovered }) => (unrecovered ? `${unrecovered} not recovered yet` : "")],
  ["deployment_rework_rate", "Rework", "Share of deployments that are hotfixes or rollbacks", "value", percent, "deployment", () => ""],
];

export const title = () => "Metrics";
export const filtered = true;

export async function load({ api, query, signal }) {
  const system = query.get("system");
  const chosen = WINDOWS.find(([days]) => String(days) === query.get("days")) ?? WINDOWS[1];
  const [days, , per] = system || chosen[0] <= 90 ? chosen : WINDOWS[1];
  // A window that ends with the hour has the same address for an hour, so a refresh may cost a 304.
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
        ${FIGURES.map(([key, , , field, say, sample, beside]) => html`<td>${value(each[key], field, say, beside)} <span class="muted">${samples(each[key], sample)}</span></td>`)}
        <td>${waits(each)}</td>
      </tr>`,
    ),
  );
}

function ofOne({ system, days, per, answer }, query) {
  if (!answer.environment) return parts.nothingHere("The system has no environment yet.");
  return html`
    <p class="waits">Not yet in ${answer.environment}: ${waits(answer)}</p>
    <div class="figures">${FIGURES.map((figure) => card(figure, answer, per, query, (more) => to("metrics", { system, days, ...more })))}</div>
  `;
}

function card([key, name, meaning, field, say, sample, beside], answer, per, query, address) {
  const figure = answer[key];
  const periods = answer.periods.map((period) => [period.from, period[key]]);
  const known = periods.filter(([, each]) => each[field] !== null);
  const highest = Math.max(0, ...known.map(([, each]) => each[field]));
  const bound = known.length ? `at most ${say(highest)}` : "no data";
  const more = ([, each]) => each.sample_size || each.contributing.length || beside(each);
  return html`<section class="figure">
    <h2>${name}</h2>
    <p class="muted">${meaning}</p>
    <p class="number">${value(figure, field, say)}</p>
    <p class="muted">${[samples(figure, sample), beside(figure)].filter(Boolean).join("; ")}</p>
    ${plot(`${name} by ${per}, ${bound}`, periods, field, say, highest)}
    <details>
      <summary>By ${per}, ${bound}</summary>
      ${parts.table(
        `${name} by ${per}`,
        [`From`, name, "Samples"],
        periods.filter(more).map(([from, each]) => html`<tr>
            <td>${parts.time(from, day)}</td>
            <td>${value(each, field, say, beside)}</td>
            <td>${each.contributing.length ? html`<a href=${address({ figure: key, at: from })}>${each.sample_size}</a>` : each.sample_size}</td>
          </tr>`),
      )}
    </details>
    <div>
      ${figure.contributing.length ? html`<a href=${address({ figure: key })}>Show the deployments</a>` : nothing}
      ${query.get("figure") === key ? contributing(name, key, per, answer, query.get("at")) : nothing}
    </div>
  </section>`;
}

/** A bar for each period. The table beside it has the same values. */
function plot(name, periods, field, say, highest) {
  return html`<svg class="plot" viewBox="0 0 ${periods.length * 10} 40" preserveAspectRatio="none" role="img" aria-label=${name}>
    ${periods.map(([from, each], index) => {
      const height = each[field] === null ? 0 : Math.max(1, (each[field] / (highest || 1)) * 39);
      const title = `${day(from)}: ${each[field] === null ? "no data" : say(each[field])}`;
      return svg`<rect x=${index * 10 + 1} y=${40 - height} width="8" height=${height}><title>${title}</title></rect>`;
    })}
  </svg>`;
}

// The start of the first period moves on with the window, so a link to it may have an earlier time.
/** The deployments behind a figure of the window, or of the period at the time `at`. */
function contributing(name, key, per, answer, at) {
  const period = at ? answer.periods.find((each) => new Date(at) < new Date(each.to)) : answer;
  if (!period) return nothing;
  const ids = period[key].contributing;
  return html`<h3>${name}${at ? html`, ${per} from ${parts.time(period.from, day)}` : nothing}: deployments</h3>
    ${
      ids.length
        ? html`<ul class="ids">${ids.map((id) => html`<li><a href=${to("systems", answer.system, "deployments", id)}>${id}</a></li>`)}</ul>
            ${ids.length === 50 ? html`<p class="muted">These are the first 50.</p>` : nothing}`
        : parts.nothingHere("No deployment contributed.")
    }`;
}

/** The value of a figure. Without one, what `beside` says of it. */
function value(figure, field, say, beside = () => "") {
  if (figure[field] !== null) return say(figure[field]);
  return html`<span class="muted">${["no data", beside(figure)].filter(Boolean).join("; ")}</span>`;
}

function samples({ sample_size }, sample) {
  return sample && sample_size ? `of ${plural(sample_size, sample)}` : "";
}

function waits({ system, environment, waiting }) {
  if (!waiting.changes) return html`<span class="muted">${waiting.changes === 0 ? "nothing waits" : "unknown"}</span>`;
  return html`<a href=${to("systems", system, "environments", environment, "changes")}>${plural(waiting.changes, "change")}</a>
    <span class="muted">the oldest for ${span(waiting.oldest_seconds)}</span>`;
}

/** A length of time, in the largest unit that it fills: "1.9 d", "47 d", "0.4 s". */
function lasted(seconds) {
  const [unit, size] = UNITS.find(([, each]) => seconds >= each) ?? UNITS.at(-1);
  return `${rounded(seconds / size)} ${unit}`;
}

/** A number with two digits that count, or more before the point: 0.0027, 1.9, 47, 365. */
const rounded = (number) => (number < 10 ? Number(number.toPrecision(2)) : Math.round(number));

const iso = (milliseconds) => new Date(milliseconds).toISOString().replace(".000", "");
