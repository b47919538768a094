// The dialog of an action. It says what will happen and to which target, and shows a problem at the field it concerns.

import { html, nothing, render } from "../vendor/lit-html.js";
import { Problem } from "./api.js";
import { announce, mark } from "./parts.js";

let dialog = null;
let current = null;

/**
 * Open the dialog of an action.
 *
 * `sentence` says what will happen to which target. `production` is the name of an environment to type before anything
 * happens, and `confirm` another word. `check(values)` returns faults, which the dialog shows instead of sending.
 * `send(values, key)` does it. `key` stays the same until the values change, so a repeated attempt has one effect.
 * `done` is the sentence afterwards; it may be a function of the answer that returns a template and keeps the dialog.
 */
export function openAction(options) {
  current = { fields: [], done: "Done", key: crypto.randomUUID(), problem: null, busy: false, answer: null, ...options };
  dialog ??= document.getElementById("dialog");
  draw();
  dialog.querySelector("form")?.reset();
  dialog.showModal();
  (dialog.querySelector("input, select, textarea") ?? dialog.querySelector("button.primary"))?.focus();
}

export function closeAction() {
  if (dialog?.open) dialog.close();
}

function draw() {
  const { title, sentence, fields, production, confirm = production, problem, busy, verb, danger, answer } = current;
  const faults = faultsByField(problem, fields);
  render(
    html`<form method="dialog" novalidate @submit=${submit} @input=${() => (current.key = crypto.randomUUID())}>
      <h2>${title}</h2>
      <p class="sentence">${sentence}</p>
      ${fields.map((field) => input(field, faults.get(field.name)))}
      ${
        confirm
          ? input(
              { name: "confirmation", label: `${production ? "This is production. " : ""}Type ${confirm} to confirm`, required: true },
              faults.get("confirmation"),
            )
          : nothing
      }
      ${problem ? failure(problem, faults) : nothing}
      ${answer ? html`<div class="answer" role="status">${answer}</div>` : nothing}
      <div class="buttons">
        <button type="button" @click=${closeAction}>${answer ? "Close" : "Cancel"}</button>
        <button type="submit" class=${danger ? "primary danger" : "primary"} ?disabled=${busy}>
          ${busy ? "Sending…" : verb}
        </button>
      </div>
    </form>`,
    dialog,
  );
}

function failure(problem, faults) {
  const elsewhere = problem.errors.filter((fault) => !faults.has(fieldOf(fault)));
  const more = !problem.message.includes(problem.errors[0]?.detail);
  if (!more && !elsewhere.length) return nothing;
  return html`<div class="problem" role="alert">
    <p>${mark("bad")} <strong>${problem.title || "That did not work"}.</strong> ${problem.message}</p>
  </div>`;
}

function faultsByField(problem, fields) {
  const names = new Set([...fields.map((field) => field.name), "confirmation"]);
  const faults = new Map();
  for (const fault of problem?.errors ?? []) {
    if (names.has(fieldOf(fault))) faults.set(fieldOf(fault), fault.detail);
  }
  return faults;
}

function fieldOf(fault) {
  return fault.pointer.replace(/^#\//, "").split("/")[0];
}

function input(field, fault) {
  const id = `field-${field.name}`;
  const notes = [field.hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ") || nothing;
  const shared = { id, notes, invalid: fault ? "true" : nothing };
  if (field.type === "checkbox") {
    return html`<label class="check">
      <input type="checkbox" name=${field.name} id=${id} ?checked=${field.value} /> ${field.label}
    </label>`;
  }
  return html`<div class="field">
    <label for=${id}>${field.label}${field.required ? nothing : html` <span class="muted">optional</span>`}</label>
    ${control(field, shared)}
    ${field.hint ? html`<p class="hint" id="${id}-hint">${field.hint}</p>` : nothing}
    ${fault ? html`<p class="fault" id="${id}-fault">${mark("bad")} ${fault}</p>` : nothing}
  </div>`;
}

function control({ name, type = "text", options, value = "", required }, { id, notes, invalid }) {
  const req = required ? "true" : nothing;
  if (options) {
    return html`<select name=${name} id=${id} aria-describedby=${notes} aria-invalid=${invalid}>
      ${options.map(
        ([key, words]) => html`<option value=${key} ?selected=${key === value}>${words}</option>`,
      )}
    </select>`;
  }
  if (type === "textarea") {
    return html`<textarea name=${name} id=${id} rows="3" aria-describedby=${notes} aria-invalid=${invalid}
      aria-required=${req} .defaultValue=${value}></textarea>`;
  }
  if (type === "number" || type === "list") type = "text";
  return html`<input type=${type} name=${name} id=${id} autocomplete="off" spellcheck="false" aria-required=${req}
    aria-describedby=${notes} aria-invalid=${invalid} .defaultValue=${value} />`;
}

async function submit(event) {
  event.preventDefault();
  if (current.busy) return;
  const values = valuesOf(event.currentTarget);
  const missing = [...missingOf(values), ...(current.check?.(values) ?? [])];
  if (missing.length) return fail(new Problem(422, { detail: missing[0].detail, errors: missing }));
  delete values.confirmation;
  const started = current;
  started.busy = true;
  started.problem = started.answer = null;
  draw();
  try {
    const answer = await started.send(values, started.key);
    started.busy = false;
    started.key = crypto.randomUUID();
    if (started !== current) return;
    if (typeof started.done === "function") {
      started.answer = started.done(answer);
      draw();
      return;
    }
    closeAction();
    announce(started.done);
    started.refresh?.();
  } catch (error) {
    started.busy = false;
    if (started === current) fail(error instanceof Problem ? error : new Problem(0, { detail: String(error.message) }));
  }
}

function fail(problem) {
  current.problem = problem;
  draw();
  dialog.querySelector("[aria-invalid=true]")?.focus();
}

/** A fault of a field, as the service writes it. */
export function fault(name, detail) {
  return { pointer: `#/${name}`, detail };
}

function missingOf(values) {
  const missing = current.fields
    .filter((field) => field.required && values[field.name] === undefined)
    .map((field) => fault(field.name, "is required: enter a value"));
  const confirm = current.confirm ?? current.production;
  if (confirm && values.confirmation !== confirm) missing.push(fault("confirmation", `type ${confirm} exactly`));
  return missing;
}

/** Read the form. Empty fields are left out; a local date and time becomes one in UTC. */
function valuesOf(form) {
  const types = Object.fromEntries(current.fields.map(({ name, type }) => [name, type]));
  const values = {};
  for (const { name, value, checked } of form.elements) {
    const text = value.trim();
    if (types[name] === "checkbox") values[name] = checked;
    else if (name && text) values[name] = READ[types[name]]?.(text) ?? text;
  }
  return values;
}

// A number that is none goes to the service as it is, and the service says what is wrong with it.
const READ = {
  number: (text) => (/^\d+$/.test(text) ? Number(text) : text),
  list: (text) => text.split(/[\s,]+/).filter(Boolean),
  "datetime-local": (text) => new Date(text).toISOString(),
};

/** A value for an input of type datetime-local, so many hours from now. */
export function inHours(hours) {
  const date = new Date(Date.now() + hours * 3_600_000);
  date.setMinutes(date.getMinutes() - date.getTimezoneOffset(), 0, 0);
  return date.toISOString().slice(0, 16);
}
