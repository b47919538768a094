// The settings of a system: its environments, and what each requires.

import { html, nothing } from "../../vendor/lit-html.js";
import { openAction } from "../actions.js";
import { ofSystem } from "../api.js";
import { plural, span } from "../format.js";
import * as parts from "../parts.js";

// `empty` is the value of an environment's field that has no text.
const FIELDS = [
  { name: "rank", label: "Rank", type: "number", required: true, hint: "Its place in the order of promotion: 1 to 1000" },
  { name: "base_url", label: "Address", hint: "With https" },
  { name: "aws_account_id", label: "AWS account", hint: "Twelve digits" },
  { name: "region", label: "Region", hint: "Such as eu-central-1" },
  { name: "production", label: "Production", type: "checkbox" },
  { name: "required_suites", label: "Required suites", type: "list", empty: [], hint: "Names of test suites, with commas between them" },
  { name: "required_soak_seconds", label: "Required soak, in seconds", type: "number", empty: 0 },
  { name: "required_approvals", label: "Required approvals", type: "number", empty: 0 },
  { name: "verification_max_age_seconds", label: "Verifications expire after, in seconds", type: "number", hint: "Never, if left empty" },
  { name: "workspace_hosts", label: "Hosts of workspaces", type: "list", empty: [], hint: "With commas between them" },
];
const REASON = { name: "reason", label: "Reason", type: "textarea", hint: "Needed if production would require less or trust more." };

export const title = ({ system }) => `Settings of ${system}`;

export async function load({ api, params, signal }) {
  const base = ofSystem(params.system);
  const [system, environments] = await Promise.all([api.get(base, signal), api.all(`${base}/environments?limit=200`, signal)]);
  return { base, system, environments };
}

export function render({ base, system, environments }, context) {
  const mine = parts.may(context.me, "maintainer", system.key);
  return html`
    ${parts.heading(`Settings of ${system.name}`, {
      // registry
      system: system.key,
      // /registry
      actions: parts.action(mine, "New environment", () => create(context, base, system, environments), "primary"),
      note: html`<p class="muted text"><span class="mono">${system.key}</span> ${parts.outside(system.repository, system.repository)}</p>`,
    })}
    <section class="part">
      <h2>Environments</h2>
      ${
        environments.length
          ? parts.table(
              "Environments",
              ["Rank", "Name", "Address", "AWS account", "Requires", ""],
              environments.map((one) => row(one, mine, () => change(context, base, system, one))),
            )
          : parts.nothingHere("This system has no environment yet. Its maintainers create environments here.")
      }
    </section>
  `;
}

function row(one, mine, start) {
  return html`<tr>
    <td>${one.rank}</td>
    <th scope="row">${one.name} ${one.production && one.name !== "production" ? html`<span class="tag">production</span>` : nothing}</th>
    <td class="text">${parts.outside(one.base_url, one.base_url)}</td>
    <td>${one.aws_account_id} ${one.region}</td>
    <td class="wide text">${requires(one)}</td>
    <td>${parts.action(mine, "Change", start)}</td>
  </tr>`;
}

function requires(one) {
  const age = one.verification_max_age_seconds;
  return [
    ...one.required_suites,
    one.required_soak_seconds && `${span(one.required_soak_seconds)} of soak`,
    one.required_approvals && plural(one.required_approvals, "approval"),
    age && `a verification of the last ${span(age)}`,
  ]
    .filter(Boolean)
    .join(", ");
}

function create({ api, refresh }, base, system, environments) {
  const last = Math.max(0, ...environments.map(({ rank }) => rank));
  openAction({
    title: `New environment of ${system.key}`,
    sentence: html`<strong>${system.key}</strong> gets another environment. Its name never changes.`,
    fields: [{ name: "name", label: "Name", required: true }, { ...FIELDS[0], value: last + 1 }, ...FIELDS.slice(1), REASON],
    verb: "Create",
    done: "The environment is there",
    send: (values, key) => api.send("POST", `${base}/environments`, values, { key }),
    refresh,
  });
}

/** Open the dialog with the environment as it is now. The service refuses the change if somebody else's came first. */
async function change({ api, refresh }, base, system, { name, production }) {
  const address = ofSystem(system.key, "environments", name);
  const { body, etag, problem } = await api.read(address).catch((failed) => ({ body: {}, problem: failed }));
  openAction({
    title: `Change ${name} of ${system.key}`,
    sentence: html`The change is for <strong>${name}</strong> of <strong>${system.key}</strong>.`,
    problem,
    production: production && name,
    fields: [...FIELDS.map((field) => ({ ...field, value: body[field.name] ?? "" })), REASON],
    verb: "Change",
    done: "The environment has changed",
    send: (values) => api.send("PATCH", address, changed(body, values), { etag }),
    refresh,
  });
}

/** Return the fields that differ, and the reason. */
function changed(before, { reason, ...values }) {
  const differing = FIELDS.map(({ name, empty = null }) => [name, values[name] ?? empty]).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
  );
  return { ...Object.fromEntries(differing), reason };
}
