// The lists over all systems: holds, which are freezes, pins and bad marks, and workspaces, which are copies of environments.

import { html, nothing } from "../../vendor/lit-html.js";
import { ofSystem } from "../api.js";
import * as doing from "./doing.js";
import { moment, short } from "../format.js";
import * as parts from "../parts.js";
import { to } from "../router.js";

const WORDS = { freeze: "freeze", pin: "pin", bad: "marked bad" };
const TONES = { active: "warn", scheduled: "busy", ended: "quiet", released: "quiet" };

const holdsTitle = () => "Holds";

async function holdsLoad({ api, query, signal }) {
  const chosen = query.get("system");
  const overview = await api.all("/v1/overview?limit=200", signal);
  const held = chosen
    ? [chosen]
    : overview.filter(({ environments }) => environments.some(({ holds }) => holds?.length)).map(({ key }) => key);
  const [overSystems, ...lists] = await Promise.all([
    api.get("/v1/holds?limit=50", signal),
    ...held.map((key) => api.get(`${ofSystem(key, "holds")}?limit=50${chosen ? "" : "&state=active"}`, signal)),
  ]);
  const own = lists.flatMap(({ items }) => items);
  return { chosen, systems: overview, overSystems: overSystems.items, own };
}

function holdsRender({ chosen, systems, overSystems, own }, context) {
  const environments = systems.find(({ key }) => key === chosen)?.environments ?? [];
  return html`
    ${parts.heading(chosen ? `Holds of ${chosen}` : "Holds", {
      system: chosen,
      actions: html`
        ${parts.action(chosen && parts.may(context.me, "maintainer", chosen), "Freeze all environments", () => doing.freeze(context, chosen, environments))}
        ${parts.action(!chosen && parts.may(context.me, "admin"), "Freeze all systems", () => doing.freezeAllSystems(context))}
      `,
      note: html`<p class="muted">A hold stops promotion. A freeze lasts for a period, a pin keeps an environment on one artifact, and an
        artifact that is marked bad enters nowhere.</p>`,
    })}
    <section class="part">
      <h2>Over all systems</h2>
      ${overSystems.length ? holdsTable(overSystems, context, [], "Holds over all systems") : parts.nothingHere("No hold concerns all systems.")}
    </section>
    <section class="part">
      <h2>${chosen ? `Of ${chosen}` : "Of single systems, in force"}</h2>
      ${
        own.length
          ? holdsTable(own, context, (key) => systems.find((one) => one.key === key)?.environments ?? [])
          : parts.nothingHere("No system has a hold in force.")
      }
    </section>
  `;
}

/** `environments` is a list, or a function that returns the list for a system. It says which targets are production. */
export function holdsTable(holds, context, environments = [], caption = "Holds") {
  return parts.table(
    caption,
    ["State", "Kind", "Target", "Reason", "By", "From", "Until", ""],
    holds.map((hold) => {
      const known = typeof environments === "function" ? environments(hold.system) : environments;
      return html`<tr>
        <td>${parts.state(TONES[hold.state] ?? "quiet", hold.state)}</td>
        <td>${WORDS[hold.kind]}${hold.recurrence ? html` <span class="tag">repeats</span>` : nothing}</td>
        <td>${target(hold)}</td>
        <td class="wide text">${hold.reason}${hold.release_reason ? html`<br /><span class="muted">Released: ${hold.release_reason}</span>` : nothing}</td>
        <td class="text">${hold.created_by}</td>
        <td>${parts.time(hold.starts_at, moment)}</td>
        <td>${hold.released_at ? parts.time(hold.released_at, moment) : hold.ends_at ? parts.time(hold.ends_at, moment) : "no end"}</td>
        <td>${releaseButton(hold, context, known)}</td>
      </tr>`;
    }),
  );
}

/** A button for whoever may release the hold. */
export function releaseButton(hold, context, environments) {
  const open = hold.state === "active" || hold.state === "scheduled";
  const may = parts.may(context.me, hold.system ? "maintainer" : "admin", hold.system ?? undefined);
  return parts.action(open && may, "Release", () => doing.release(context, hold, confirmation(hold, environments)));
}

function target({ system, environment, artifact, production, kind }) {
  const where = environment ?? (production ? "production" : kind === "bad" ? "" : "all environments");
  return html`${system ? html`<a href=${to("systems", system)}>${system}</a>` : "all systems"} ${where}
    ${artifact ? parts.artifact(system, artifact) : nothing}`;
}

/** The name to type before a hold that protects production is released, or null. */
function confirmation(hold, environments) {
  if (!hold.system) return "all systems";
  if (hold.kind === "bad") return short(hold.artifact);
  return environments.find((one) => one.production && (!hold.environment || one.name === hold.environment))?.name ?? null;
}

const workspacesTitle = () => "Workspaces";

async function workspacesLoad({ api, query, signal }) {
  const overview = await api.all("/v1/overview?limit=200", signal);
  const chosen = query.get("system");
  const owners = chosen
    ? [chosen]
    : overview.filter(({ environments }) => environments.some(({ workspaces }) => workspaces)).map(({ key }) => key);
  const lists = await Promise.all(
    owners.map((key) => api.get(`${ofSystem(key, "workspaces")}?limit=100${chosen ? "" : "&state=active"}`, signal)),
  );
  const workspaces = lists.flatMap(({ items }) => items).sort((one, other) => (one.expires_at < other.expires_at ? -1 : 1));
  const routes = new Map(
    await Promise.all(
      workspaces
        .filter(({ purpose, state }) => purpose === "debug" && state === "active")
        .map(async ({ system, id }) => [id, (await api.get(`${ofSystem(system, "workspaces", id, "routes")}?limit=50`, signal)).items]),
    ),
  );
  const production = new Set(
    overview.flatMap(({ key, environments }) => environments.filter((one) => one.production).map(({ name }) => `${key}/${name}`)),
  );
  return { chosen, workspaces, routes, production };
}

function workspacesRender({ chosen, workspaces, routes, production }, context) {
  return html`
    ${parts.heading(chosen ? `Workspaces of ${chosen}` : "Workspaces", {
      system: chosen,
      note: html`<p class="muted">A workspace is an isolated copy of an environment, and expires. Those that end first come first.</p>`,
    })}
    ${
      workspaces.length
        ? parts.table(
            "Workspaces",
            ["State", "Workspace", "Of", "Purpose", "Owner", "Reason", "Created", "Ends", "Routes", ""],
            workspaces.map((one) => workspaceRow(one, routes.get(one.id), production.has(`${one.system}/${one.environment}`), context)),
          )
        : parts.nothingHere("There is no active workspace. Pipelines create them for pull requests, people for debugging.")
    }
  `;
}

function workspaceRow(one, routes, production, context) {
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

export const holds = { title: holdsTitle, load: holdsLoad, render: holdsRender };
export const workspaces = { title: workspacesTitle, load: workspacesLoad, render: workspacesRender };
