// The copies of environments: whose they are, why, and until when. Debug workspaces have routes.

import { html, nothing } from "../../vendor/lit-html.js";
import * as doing from "./doing.js";
import * as parts from "../parts.js";
import { to } from "../router.js";

export const title = () => "Workspaces";

export async function load({ api, query, signal }) {
  const overview = await api.all("/v1/overview?limit=200", signal);
  const chosen = query.get("system");
  const owners = chosen
    ? [chosen]
    : overview.filter(({ environments }) => environments.some(({ workspaces }) => workspaces)).map(({ key }) => key);
  const lists = await Promise.all(
    owners.map((key) => api.get(`/v1/systems/${encodeURIComponent(key)}/workspaces?limit=100${chosen ? "" : "&state=active"}`, signal)),
  );
  const workspaces = lists.flatMap(({ items }) => items).sort((one, other) => (one.expires_at < other.expires_at ? -1 : 1));
  const routes = new Map(
    await Promise.all(
      workspaces
        .filter(({ purpose, state }) => purpose === "debug" && state === "active")
        .map(async ({ system, id }) => [id, (await api.get(`/v1/systems/${encodeURIComponent(system)}/workspaces/${id}/routes?limit=50`, signal)).items]),
    ),
  );
  const production = new Set(
    overview.flatMap(({ key, environments }) => environments.filter((one) => one.production).map(({ name }) => `${key}/${name}`)),
  );
  return { chosen, workspaces, routes, production };
}

export function render({ chosen, workspaces, routes, production }, context) {
  return html`
    ${parts.heading(chosen ? `Workspaces of ${chosen}` : "Workspaces", {
      trail: chosen ? [["Overview", to()], [chosen, to("systems", chosen)]] : [],
      note: html`<p class="muted">A workspace is an isolated copy of an environment, and expires. Those that end first come first.</p>`,
    })}
    ${
      workspaces.length
        ? parts.table(
            "Workspaces",
            ["State", "Workspace", "Of", "Purpose", "Owner", "Reason", "Created", "Ends", "Routes", ""],
            workspaces.map((one) => row(one, routes.get(one.id), production.has(`${one.system}/${one.environment}`), context)),
          )
        : parts.nothingHere("There is no active workspace. Pipelines create them for pull requests, people for debugging.")
    }
  `;
}

function row(one, routes, production, context) {
  const active = one.state === "active";
  const mine = parts.may(context.me, "pipeline", one.system);
  return html`<tr>
    <td>${parts.state({ active: "good", expired: "warn" }[one.state] ?? "quiet", one.state)}</td>
    <td class="text">${one.name} ${parts.outside(one.base_url, "open")}</td>
    <td><a href=${to("systems", one.system)}>${one.system}</a> ${one.environment}
      ${one.database === "live" ? html`<span class="tag">live database</span>` : nothing}</td>
    <td>${one.purpose}</td>
    <td class="text">${one.owner}</td>
    <td class="wide text">${one.reason}</td>
    <td>${parts.time(one.created_at)}</td>
    <td>${parts.time(one.destroyed_at ?? one.expires_at)}</td>
    <td>${(routes ?? []).map(
      (each) => html`<p class="text">${each.client} <span class="muted">until ${parts.time(each.until)}</span>
        <button type="button" @click=${() => doing.endRoute(context, one, each)}>End</button></p>`,
    )}</td>
    <td><span class="actions">
      ${parts.action(active && mine, "Extend", () => doing.extend(context, one))}
      ${parts.action(active && one.purpose === "debug", "Route", () => doing.route(context, one, production))}
    </span></td>
  </tr>`;
}
