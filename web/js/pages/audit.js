// The audit trail: every write, by whom and when, newest first.

import { html, nothing } from "../../vendor/lit-html.js";
import * as parts from "../parts.js";
import { to } from "../router.js";

export const title = () => "Audit";

export async function load({ api, query, me, signal }) {
  const wanted = new URLSearchParams({ limit: 50 });
  for (const name of ["system", "principal", "action", "cursor"]) {
    if (query.get(name)) wanted.set(name, query.get(name));
  }
  const own = me.roles.find(({ role, systems }) => role === "maintainer" && systems?.length);
  if (!wanted.has("system") && own && !parts.may(me, "admin")) wanted.set("system", own.systems[0]);
  return { ...(await api.get(`/v1/audit-events?${wanted}`, signal)), system: wanted.get("system") };
}

export function render({ items, next, system }, { query }) {
  const filter = (event) => {
    event.preventDefault();
    location.hash = to("audit", Object.fromEntries(new FormData(event.currentTarget)));
  };
  return html`
    ${parts.heading("Audit", { note: html`<p class="muted">Every write leaves an event here, refused ones too.</p>` })}
    <form class="actions filters" @submit=${filter}>
      <label>System <input name="system" .defaultValue=${system ?? ""} autocomplete="off" /></label>
      <label>By <input name="principal" .defaultValue=${query.get("principal") ?? ""} autocomplete="off" /></label>
      <label>Action <input name="action" .defaultValue=${query.get("action") ?? ""} autocomplete="off" placeholder="system.create" /></label>
      <button type="submit">Filter</button>
    </form>
    ${
      items.length
        ? parts.table(
            "Audit events",
            ["At", "By", "Action", "System", "Resource", "Reason", "What changed"],
            items.map(row),
          )
        : parts.nothingHere("No event matches.")
    }
    <p class="actions">
      ${query.get("cursor") ? html`<a href=${to("audit", { system: query.get("system"), principal: query.get("principal"), action: query.get("action") })}>Newest</a>` : nothing}
      ${next ? html`<a href=${to("audit", { system: query.get("system"), principal: query.get("principal"), action: query.get("action"), cursor: next })}>Older events</a>` : nothing}
    </p>
  `;
}

function row(event) {
  return html`<tr>
    <td>${parts.time(event.at)}</td>
    <td class="text">${event.principal}</td>
    <td>${event.action} ${event.refusal ? parts.state("bad", `refused: ${event.refusal}`) : nothing}</td>
    <td>${event.system ? html`<a href=${to("systems", event.system)}>${event.system}</a>` : nothing}</td>
    <td class="text">${event.resource}</td>
    <td class="wide text">${event.reason ?? event.after?.reason ?? ""}</td>
    <td>${event.before || event.after ? html`<details>
      <summary>Show</summary>
      <pre class="json" tabindex="0">${JSON.stringify({ before: event.before, after: event.after }, null, 2)}</pre>
    </details>` : nothing}</td>
  </tr>`;
}
