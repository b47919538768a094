// The systems, each with a link to its page.

import { html } from "../../vendor/lit-html.js";
import { openAction } from "../actions.js";
import * as parts from "../parts.js";
import { to } from "../router.js";

export const title = () => "Systems";
export const filtered = true;

export async function load({ api, signal }) {
  return api.all("/v1/systems?limit=200", signal);
}

export function render(systems, context) {
  const wanted = context.filter.trim().toLowerCase();
  const found = systems.filter(({ key, name }) => `${key} ${name}`.toLowerCase().includes(wanted));
  return html`
    ${parts.heading("Systems", { actions: parts.action(parts.may(context.me, "admin"), "New system", () => create(context), "primary") })}
    ${
      found.length
        ? parts.table("Systems", ["Key", "Name", "Repository", "Description", "Created"], found.map(row))
        : parts.nothingHere(wanted ? "No system matches the filter." : "There is no system yet. Admins create systems here.")
    }
  `;
}

function row({ key, name, repository, description, created_at }) {
  return html`<tr>
    <th scope="row"><a href=${to("systems", key)}>${key}</a></th>
    <td class="wide text">${name}</td>
    <td class="text">${parts.outside(repository, repository)}</td>
    <td class="wide text">${description}</td>
    <td>${parts.time(created_at)}</td>
  </tr>`;
}

function create({ api, refresh }) {
  openAction({
    title: "New system",
    sentence: "A system is a service that a team deploys. Its key is part of addresses and never changes.",
    fields: [
      { name: "key", label: "Key", required: true, hint: "2 to 39 lower-case letters, digits and hyphens, such as shop" },
      { name: "name", label: "Name", required: true },
      { name: "repository", label: "Repository", hint: "Its address, with https" },
      { name: "description", label: "Description", type: "textarea" },
      { name: "artifact_kind", label: "Artifacts", options: [["tree", "git trees"], ["sha256", "digests of packages"]], required: true },
    ],
    verb: "Create",
    done: "The system is there",
    send: (values, key) => api.send("POST", "/v1/systems", values, { key }),
    refresh,
  });
}
