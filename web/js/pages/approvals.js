// The table of approvals, which the system's page shows.

import { html, nothing } from "../../vendor/lit-html.js";
import * as doing from "../doing.js";
import * as parts from "../parts.js";

const TONES = { active: "good", used: "good", expired: "quiet", void: "quiet", withdrawn: "quiet" };

export function approvalsTable(approvals, context) {
  return parts.table(
    "Approvals",
    ["State", "Artifact", "Environment", "By", "Comment", "Given", "Ends", ""],
    approvals.map(
      (one) => html`<tr>
        <td>${parts.state(TONES[one.state] ?? "quiet", one.state)}</td>
        <td>${parts.artifact(one.system, one.artifact)}</td>
        <td>${one.environment}</td>
        <td class="wide text">${one.created_by}</td>
        <td class="wide text">${one.comment ?? ""}${one.withdrawal_reason ? html`<br />${one.withdrawal_reason}` : nothing}</td>
        <td>${parts.time(one.created_at)}</td>
        <td>${parts.time(one.expires_at)}</td>
        <td>${parts.action(one.state === "active" && parts.may(context.me, "maintainer", one.system), "Withdraw", () => doing.withdraw(context, one))}</td>
      </tr>`,
    ),
  );
}
