// The way in: four roles on the local stage, the issuer's page elsewhere.

import { html, nothing } from "../../vendor/lit-html.js";
import { mark } from "../parts.js";
import { signInAtIssuer, signInLocally } from "../session.js";

const ROLES = [
  ["viewer", "Reads everything"],
  ["pipeline", "Also writes what pipelines record"],
  ["maintainer", "Also decides for systems and their environments"],
  ["admin", "May do everything, for all systems"],
];
let failure = "";

export const title = () => "Sign in";

/** Remember why the way back from the issuer failed. */
export function failed(error) {
  failure = error.message;
}

export async function load({ configuration }) {
  return configuration;
}

export function render(configuration, { expired, signedIn, draw }) {
  const kind = configuration?.sign_in?.kind;
  const attempt = async (way) => {
    failure = "";
    try {
      await way();
    } catch (error) {
      failure = error.message;
      draw();
    }
  };
  return html`<section class="sign-in">
    <h1 tabindex="-1">Sign in</h1>
    ${expired ? html`<p role="status">Your session has expired. You return to the page that you left.</p>` : nothing}
    ${failure ? html`<div class="problem" role="alert"><p class="text">${mark("bad")} ${failure}</p></div>` : nothing}
    ${
      kind === "local"
        ? html`<p>This is the local stage. Choose the role to look around with.</p>
            <ul class="roles">
              ${ROLES.map(
                ([role, words]) => html`<li>
                  <button type="button" @click=${() => attempt(() => signInLocally(role).then(signedIn))}>
                    <strong>${role}</strong><span>${words}</span>
                  </button>
                </li>`,
              )}
            </ul>`
        : kind === "oidc"
          ? html`<p>You sign in at <span class="mono">${new URL(configuration.sign_in.authority).host}</span>.</p>
              <p><button type="button" class="primary" @click=${() => attempt(() => signInAtIssuer(configuration.sign_in))}>
                Sign in
              </button></p>`
          : html`<p>Nobody can sign in here, because this stage names no issuer for people. See its settings.</p>`
    }
  </section>`;
}
