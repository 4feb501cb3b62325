// The dialog that adds or changes a device; the server's reasons stand next to the fields.

import { call } from "./api.js";

const dialog = document.getElementById("editor");
const form = document.getElementById("device-form");
const message = document.getElementById("form-message");
const title = document.getElementById("editor-title");
const save = document.getElementById("save");
const inputs = [...form.elements].filter((element) => element.name);
let device = null;
let done = () => {};

/** Open the dialog for `current`, a new device if null; `whenSaved(device, isNew)` is called after saving. */
export function openEditor(current, whenSaved) {
  device = current;
  done = whenSaved;
  title.textContent = device ? `Edit ${device.name}` : "Add device";
  for (const input of inputs) input.value = device?.[input.name] ?? "";
  showErrors({});
  message.textContent = "";
  dialog.showModal();
}

export function startEditor() {
  document.getElementById("editor-cancel").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", submit);
  for (const input of inputs) input.addEventListener("input", () => showError(input, ""));
}

async function submit(event) {
  event.preventDefault();
  const values = Object.fromEntries(inputs.map((input) => [input.name, input.value]));
  save.disabled = true;
  message.textContent = "";
  try {
    const stored = device ? await call("PUT", `devices/${device.id}`, values) : await call("POST", "devices", values);
    dialog.close();
    await done(stored, device === null);
  } catch (error) {
    showErrors(error.fields ?? {});
    if (!form.querySelector("[aria-invalid]")) message.textContent = `Not saved: ${error.message}.`;
  } finally {
    save.disabled = false;
  }
}

function showErrors(fields) {
  for (const input of inputs) showError(input, fields[input.name] ?? "");
  form.querySelector("[aria-invalid]")?.focus();
}

function showError(input, reason) {
  document.getElementById(`${input.name}-error`).textContent = reason && `${input.labels[0].firstChild.data.trim()} ${reason}.`;
  if (reason) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}
