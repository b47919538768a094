// The state of a service without systems: the commands that record the first deployment, filled in.

import { html } from "../../vendor/lit-html.js";
import { copyButton } from "../parts.js";

export function emptyState() {
  const send = (path, body) =>
    [
      `curl -s -H "Authorization: Bearer $TOKEN"`,
      `-H "Content-Type: application/json" -H "Idempotency-Key: $RANDOM-$RANDOM"`,
      `-d ${body}`,
      `${location.origin}/v1/systems${path}`,
    ].join(" \\\n  ");
  const deployment =
    `'{"environment": "development",` +
    ` "artifact": "tree:'$(git rev-parse HEAD^{tree})'", "revision": "'$(git rev-parse HEAD)'"}'`;
  const steps = [
    ["Get a token, in the checkout of the service", "TOKEN=$(make -s token ROLE=admin)"],
    ["Name your system", send("", `'{"key": "shop", "name": "Shop"}'`)],
    ["Name its first environment", send("/shop/environments", `'{"name": "development", "rank": 1}'`)],
    ["Record a deployment of what you have checked out", send("/shop/deployments", deployment)],
    [
      "Say that it succeeded. Its id is in the answer before",
      send("/shop/deployments/1/statuses", `'{"state": "succeeded"}'`),
    ],
  ];
  return html`<section class="empty">
    <h1 tabindex="-1">Record your first deployment</h1>
    <p>No system is recorded yet. Five commands in a terminal change that, and this page shows it by itself.</p>
    <ol>
      ${steps.map(
        ([words, command], index) => html`<li>
          <p>${words}.</p>
          <div class="command">
            <pre tabindex="0" aria-label="Command ${index + 1}">${command}</pre>
            ${copyButton(command, "command")}
          </div>
        </li>`,
      )}
    </ol>
  </section>`;
}
