// Freezes, pins and bad marks: those over all systems, and those of the systems that have any.

import { html, nothing } from "../../vendor/lit-html.js";
import * as doing from "./doing.js";
import { moment, short } from "../format.js";
import * as parts from "../parts.js";
import { to } from "../router.js";

const WORDS = { freeze: "freeze", pin: "pin", bad: "marked bad" };
const TONES = { active: "warn", scheduled: "busy", ended: "quiet", released: "quiet" };

export const title = () => "Holds";

export async function load({ api, query, signal }) {
  const chosen = query.get("system");
  const overview = await api.all("/v1/overview?limit=200", signal);
  const held = chosen
    ? [chosen]
    : overview.filter(({ environments }) => environments.some(({ holds }) => holds?.length)).map(({ key }) => key);
  const [overSystems, ...lists] = await Promise.all([
    api.get("/v1/holds?limit=50", signal),
    ...held.map((key) => api.get(`/v1/systems/${encodeURIComponent(key)}/holds?limit=50${chosen ? "" : "&state=active"}`, signal)),
  ]);
  const own = lists.flatMap(({ items }) => items);
  return { chosen, systems: overview, overSystems: overSystems.items, own };
}

export function render({ chosen, systems, overSystems, own }, context) {
  const environments = systems.find(({ key }) => key === chosen)?.environments ?? [];
  return html`
    ${parts.heading(chosen ? `Holds of ${chosen}` : "Holds", {
      trail: chosen ? [["Overview", to()], [chosen, to("systems", chosen)]] : [],
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
      const role = hold.system ? "maintainer" : "admin";
      const open = hold.state === "active" || hold.state === "scheduled";
      return html`<tr>
        <td>${parts.state(TONES[hold.state] ?? "quiet", hold.state)}</td>
        <td>${WORDS[hold.kind]}${hold.recurrence ? html` <span class="tag">repeats</span>` : nothing}</td>
        <td>${target(hold)}</td>
        <td class="wide text">${hold.reason}${hold.release_reason ? html`<br /><span class="muted">Released: ${hold.release_reason}</span>` : nothing}</td>
        <td class="text">${hold.created_by}</td>
        <td>${parts.time(hold.starts_at, moment)}</td>
        <td>${hold.released_at ? parts.time(hold.released_at, moment) : hold.ends_at ? parts.time(hold.ends_at, moment) : "no end"}</td>
        <td>${parts.action(open && parts.may(context.me, role, hold.system ?? undefined), "Release", () => doing.release(context, hold, confirmation(hold, known)))}</td>
      </tr>`;
    }),
  );
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
