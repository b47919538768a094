// The actions that people take: each says what it does, to which target, and how it is sent.

import { html } from "../../vendor/lit-html.js";
import { fault, inHours, openAction } from "../actions.js";
import { ofSystem } from "../api.js";
import { moment, plural, short } from "../format.js";
import { blockers, state, stillRequired, time } from "../parts.js";

const REASON = { name: "reason", label: "Reason", type: "textarea", required: true, hint: "Everybody who is stopped reads it." };

/** Freeze one environment, or all environments of a system if `environment` is null. */
export function freeze({ api, refresh }, system, environments, environment = null) {
  const target = environment ?? "all environments";
  const production = environments.find((one) => one.production && (!environment || one.name === environment));
  openAction({
    title: `Freeze ${target} of ${system}`,
    sentence: html`No rollout and no hotfix enters <strong>${target}</strong> of <strong>${system}</strong> while the freeze
      lasts. What runs goes on running.`,
    production: production && production.name,
    fields: [
      REASON,
      { name: "starts_at", label: "Starts", type: "datetime-local", hint: "Now, if left empty." },
      { name: "ends_at", label: "Ends", type: "datetime-local", value: inHours(24), hint: "Until it is released, if left empty." },
      { name: "blocks_rollbacks", label: "Stop rollbacks too", type: "checkbox" },
    ],
    verb: "Freeze",
    done: "The freeze is in place",
    send: (values, key) => api.send("POST", ofSystem(system, "holds"), { kind: "freeze", environment, ...values }, { key }),
    refresh,
  });
}

export function freezeAllSystems({ api, refresh }) {
  openAction({
    title: "Freeze all systems",
    sentence: html`No rollout and no hotfix enters these environments of <strong>all systems</strong> while the freeze lasts.`,
    confirm: "all systems",
    fields: [
      { name: "scope", label: "Environments", options: [["production", "production environments"], ["all", "all environments"]], required: true },
      REASON,
      { name: "starts_at", label: "Starts", type: "datetime-local", hint: "Now, if left empty." },
      { name: "ends_at", label: "Ends", type: "datetime-local", value: inHours(24), hint: "Until it is released, if left empty." },
      { name: "blocks_rollbacks", label: "Stop rollbacks too", type: "checkbox" },
    ],
    verb: "Freeze all systems",
    danger: true,
    done: "The freeze is in place",
    send: ({ scope, ...values }, key) =>
      api.send("POST", "/v1/holds", { kind: "freeze", production: scope === "production", ...values }, { key }),
    refresh,
  });
}

export function pin({ api, refresh }, system, environment, artifact) {
  openAction({
    title: `Pin ${environment.name} of ${system}`,
    sentence: html`<strong>${environment.name}</strong> of <strong>${system}</strong> stays on
      <span class="mono">${short(artifact)}</span>. Nothing else enters it, and no rollback leaves it, until the pin is released.`,
    production: environment.production && environment.name,
    fields: [REASON],
    verb: "Pin",
    done: "The pin is in place",
    send: (values, key) =>
      api.send("POST", ofSystem(system, "holds"), { kind: "pin", environment: environment.name, artifact, ...values }, { key }),
    refresh,
  });
}

export function markBad({ api, refresh }, system, artifact) {
  openAction({
    title: `Mark ${short(artifact)} bad`,
    sentence: html`The artifact <span class="mono">${artifact}</span> enters <strong>no environment</strong> of
      <strong>${system}</strong> until the mark is released, not even by a rollback. Where it runs, it goes on running.`,
    confirm: short(artifact),
    fields: [REASON],
    verb: "Mark bad",
    danger: true,
    done: "The artifact is marked bad",
    send: (values, key) => api.send("POST", ofSystem(system, "holds"), { kind: "bad", artifact, ...values }, { key }),
    refresh,
  });
}

export function release({ api, refresh }, hold, confirm = null) {
  const base = hold.system ? ofSystem(hold.system, "holds") : "/v1/holds";
  const what = { freeze: "freeze", pin: "pin", bad: "bad mark" }[hold.kind];
  openAction({
    title: `Release the ${what}`,
    sentence: html`The ${what} of <strong>${hold.environment ?? (hold.artifact ? short(hold.artifact) : "all environments")}</strong>,
      <strong>${hold.system ?? "all systems"}</strong>, ends at once. What it stopped may enter again.`,
    confirm,
    fields: [{ ...REASON, hint: "Why it is no longer needed." }],
    verb: "Release",
    done: "The hold is released",
    send: (values, key) => api.send("POST", `${base}/${hold.id}/release`, values, { key }),
    refresh,
  });
}

/** `change` is what would ship, if that is known. */
export function approve({ api, refresh }, system, environment, artifact, change) {
  openAction({
    title: `Approve ${short(artifact)} for ${environment.name}`,
    sentence: html`You consent that <span class="mono">${short(artifact)}</span> enters <strong>${environment.name}</strong> of
      <strong>${system}</strong>. Its pipeline decides when.
      ${change?.behind_by ? html`<strong>It loses ${plural(change.behind_by, "commit")}</strong> that ${environment.name} has.` : ""}`,
    production: environment.production && environment.name,
    fields: [{ name: "comment", label: "Comment", type: "textarea" }],
    verb: "Approve",
    done: "The approval is recorded",
    send: (values, key) =>
      api.send("POST", ofSystem(system, "approvals"), { environment: environment.name, artifact, ...values }, { key }),
    refresh,
  });
}

export function withdraw({ api, refresh }, approval) {
  openAction({
    title: "Withdraw the approval",
    sentence: html`The approval of <span class="mono">${short(approval.artifact)}</span> for
      <strong>${approval.environment}</strong> of <strong>${approval.system}</strong> no longer counts.`,
    fields: [{ name: "reason", label: "Reason", type: "textarea" }],
    verb: "Withdraw",
    done: "The approval is withdrawn",
    send: (values, key) =>
      api.send("POST", ofSystem(approval.system, "approvals", approval.id, "withdraw"), values, { key }),
    refresh,
  });
}

/** Ask the gate what it would decide, now or at a chosen time. Nothing is recorded. */
export function askGate({ api }, system, environment, artifact) {
  openAction({
    title: `May ${short(artifact)} enter ${environment.name}?`,
    sentence: html`The gate of <strong>${environment.name}</strong> of <strong>${system}</strong> answers for the chosen time, if
      nothing more is recorded until then. Nothing is recorded or deployed.`,
    fields: [{ name: "at", label: "At", type: "datetime-local", hint: "Now, if left empty. At most 90 days ahead." }],
    verb: "Ask",
    send: (values, key) =>
      api.send("POST", ofSystem(system, "promotions"), { environment: environment.name, artifact, dry_run: true, ...values }, { key }),
    done: (decision) => html`
      <p>${decision.decision === "granted" ? state("good", "It may enter") : state("warn", "It may not enter")}
        <span class="muted">at ${time(decision.decided_at, moment)}</span></p>
      ${blockers(decision.blockers, system)} ${stillRequired(decision.still_required)}
    `,
  });
}

export function extend({ api, refresh }, workspace) {
  const address = ofSystem(workspace.system, "workspaces", workspace.id);
  const most = workspace.purpose === "debug" ? 72 : 14 * 24;
  const left = (new Date(workspace.expires_at) - Date.now()) / 3_600_000;
  openAction({
    title: `Extend ${workspace.name}`,
    sentence: html`The ${workspace.purpose} workspace <strong>${workspace.name}</strong> of <strong>${workspace.environment}</strong>,
      <strong>${workspace.system}</strong>, stays until the new time. Now it would end ${time(workspace.expires_at)}.`,
    fields: [
      { name: "expires_at", label: "New end", type: "datetime-local", required: true, value: inHours(Math.min(most, left + 24)), hint: `At most ${most / 24} days ahead.` },
      { ...REASON, value: workspace.reason, hint: "Why it is still needed." },
    ],
    check: ({ expires_at }) => (expires_at > workspace.expires_at ? [] : [fault("expires_at", "is not later than the end until now")]),
    verb: "Extend",
    done: "The workspace is extended",
    send: async (values) => api.send("PATCH", address, values, await api.read(address)),
    refresh,
  });
}

/** Send a client's traffic to a debug workspace for a while. */
export function route({ api, refresh }, workspace, production) {
  openAction({
    title: `Route a client to ${workspace.name}`,
    sentence: html`The traffic of one client to <strong>${workspace.environment}</strong> of <strong>${workspace.system}</strong> goes to
      <strong>${workspace.base_url ?? workspace.name}</strong> until the chosen time.`,
    production: production && workspace.environment,
    fields: [
      { name: "client", label: "Client", required: true, hint: "The subject whose requests go there. Your own needs no maintainer." },
      { name: "until", label: "Until", type: "datetime-local", required: true, value: inHours(1) },
      { name: "reason", label: "Reason", type: "textarea" },
    ],
    verb: "Route",
    done: "The route is in place",
    send: ({ client, ...values }) =>
      api.send("PUT", ofSystem(workspace.system, "workspaces", workspace.id, "routes", client), {
        ...values,
        ...(workspace.base_url ? { base_url: workspace.base_url } : {}),
      }),
    refresh,
  });
}

export function endRoute({ api, refresh }, workspace, { client }) {
  const address = ofSystem(workspace.system, "workspaces", workspace.id, "routes", client);
  openAction({
    title: "End the route",
    sentence: html`The traffic of <strong>${client}</strong> goes to <strong>${workspace.environment}</strong> itself again.`,
    verb: "End the route",
    done: "The route has ended",
    send: async () => api.send("DELETE", address, undefined, await api.read(address)),
    refresh,
  });
}
