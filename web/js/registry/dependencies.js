// Dependencies: which environments use an instance, and where one of them writes what another one uses.

import { html, nothing } from "../../vendor/lit-html.js";
import { ofSystem } from "../api.js";
import { plural } from "../format.js";
import * as parts from "../parts.js";
import { to } from "../router.js";

export const title = () => "Dependencies";
export const filtered = true;

export async function load({ api, query, signal }) {
  const system = query.get("system");
  const all = !query.has("crosstalk");
  const path = system ? ofSystem(system, "crosstalk") : "/v1/crosstalk";
  const instances = await api.all(`${path}?limit=100${all ? "&all=true" : ""}`, signal);
  instances.sort((one, other) => other.crosstalk - one.crosstalk);
  return { system, all, instances };
}

export function render({ system, all, instances }, { filter }) {
  const wanted = filter.trim().toLowerCase();
  const shown = wanted ? instances.filter((each) => each.instance.toLowerCase().includes(wanted) || each.bindings.some((one) => one.system?.includes(wanted))) : instances;
  const names = new Set(shown.flatMap(({ bindings }) => bindings.map(({ environment }) => environment)));
  // The environment of a system that the caller may not read is null, and comes last.
  const columns = [...names].sort((one, other) => (one === null) - (other === null) || (one < other ? -1 : 1));
  const crosstalk = shown.filter((each) => each.crosstalk).length;
  const choice = (words, query, chosen) =>
    html`<a href=${to("dependencies", { system, ...query })} aria-current=${chosen ? "true" : nothing}>${words}</a>`;
  return html`
    ${parts.heading(system ? `Dependencies of ${system}` : "Dependencies", {
      system,
      actions: html`<nav class="choices" aria-label="Show">${choice("All", {}, all)}${choice("Crosstalk", { crosstalk: 1 }, !all)}</nav>`,
      note: html`<p class="muted">Crosstalk: several environments use one instance, and at least one of them writes.
        ${plural(crosstalk, "instance has", "instances have")} it.</p>`,
    })}
    ${
      shown.length
        ? parts.table(
            "Instances by environment",
            ["Instance", "", ...columns.map((name) => name ?? "elsewhere")],
            shown.map((each) => row(each, columns)),
          )
        : parts.nothingHere(wanted ? "No instance or system matches." : all ? "No environment has declared a dependency." : "There is no crosstalk.")
    }
  `;
}

function row({ instance, crosstalk, bindings, more_bindings: more }, columns) {
  return html`<tr>
    <th scope="row" class="wide mono instance">${instance}</th>
    <td>${crosstalk ? parts.state("warn", "crosstalk") : nothing}${more ? html` <span class="muted">and more</span>` : nothing}</td>
    ${columns.map((name) => html`<td>${bindings.filter(({ environment }) => environment === name).map(use)}</td>`)}
  </tr>`;
}

function use({ system, dependency, access, exclusive }) {
  return html`<p>
    ${system ? html`<a href=${to("systems", system)}>${system}</a>` : html`<span class="muted">another system</span>`}
    ${access === "read_write" ? html`<strong>writes</strong>` : "reads"} ${dependency}
    ${exclusive ? html`<span class="tag">exclusive</span>` : nothing}
  </p>`;
}
