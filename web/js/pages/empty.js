// The state of a service without systems: the commands that record the first deployment, filled in.

import { html } from "../../vendor/lit-html.js";
import { copyButton } from "../parts.js";

export function emptyState() {
  const url = `${location.origin}/v1`;
  const send = `curl -s -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json"`;
  const commit = `-H "Idempotency-Key: $(git rev-parse HEAD)-$RANDOM"`;
  const steps = [
    ["Get a token, in the checkout of the service", "TOKEN=$(make -s token ROLE=admin)"],
    ["Name your system", `${send} ${commit} \\\n  -d '{"key": "shop", "name": "Shop"}' ${url}/systems`],
    [
      "Name its first environment",
      `${send} ${commit} \\\n  -d '{"name": "development", "rank": 1}' ${url}/systems/shop/environments`,
    ],
    [
      "Record a deployment of what you have checked out",
      `${send} ${commit} \\\n  -d "{\\"environment\\": \\"development\\", \\"artifact\\": \\"tree:$(git rev-parse 'HEAD^{tree}')\\", ` +
        `\\"revision\\": \\"$(git rev-parse HEAD)\\"}" \\\n  ${url}/systems/shop/deployments`,
    ],
    [
      "Say that it succeeded. Take the deployment's id from the answer before",
      `${send} ${commit} \\\n  -d '{"state": "succeeded"}' ${url}/systems/shop/deployments/1/statuses`,
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
