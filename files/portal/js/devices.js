// The list of devices: table, filter, pages, deletion.

import { call } from "./api.js";
import { openEditor } from "./editor.js";

const PAGE = 10;
const $ = (id) => document.getElementById(id);
const when = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "short" });
let offset = 0;
let asked = 0;

/** Fetch the current page of the list and show it. */
export async function loadDevices() {
  const request = ++asked;
  const query = new URLSearchParams({ limit: PAGE, offset, q: $("filter").value.trim() });
  try {
    const page = await call("GET", `devices?${query}`);
    // A slow answer must not overwrite a later one.
    if (request === asked) show(page);
  } catch (error) {
    if (request === asked) say(`The list could not be loaded: ${error.message}.`, true);
  }
}

export function startDevices() {
  $("add").addEventListener("click", () => openEditor(null, saved));
  $("search").addEventListener("submit", (event) => event.preventDefault());
  $("previous").addEventListener("click", () => turn(-PAGE));
  $("next").addEventListener("click", () => turn(PAGE));
  let typing;
  $("filter").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => turn(-offset), 200);
  });
  loadDevices();
}

function turn(by) {
  offset = Math.max(0, offset + by);
  loadDevices();
}

function show({ items, total }) {
  if (!items.length && offset > 0) return turn(-PAGE);
  if ($("message").classList.contains("bad")) say("");
  $("rows").replaceChildren(...items.map(row));
  $("total").textContent = total;
  $("empty").hidden = items.length > 0;
  $("empty").textContent = $("filter").value.trim() ? "No device matches the filter." : "No devices yet. Add the first one.";
  $("paging").hidden = total <= PAGE;
  $("range").textContent = `${offset + 1}–${offset + items.length} of ${total}`;
  $("previous").disabled = offset === 0;
  $("next").disabled = offset + items.length >= total;
}

function row(device) {
  const line = $("row").content.cloneNode(true);
  const [name, kind, address, location, changed] = line.querySelectorAll("[data-label]");
  name.textContent = device.name;
  kind.firstElementChild.textContent = device.kind;
  fill(address, device.address);
  fill(location, device.location);
  const time = changed.firstElementChild;
  time.dateTime = device.updated;
  time.textContent = when.format(new Date(device.updated));
  if (device.notes) line.firstElementChild.title = device.notes;
  const [edit, remove] = line.querySelectorAll("button");
  edit.setAttribute("aria-label", `Edit ${device.name}`);
  remove.setAttribute("aria-label", `Delete ${device.name}`);
  edit.addEventListener("click", () => openEditor(device, saved));
  remove.addEventListener("click", () => askToDelete(device));
  return line;
}

function fill(cell, text) {
  cell.textContent = text || "–";
  cell.toggleAttribute("data-empty", !text);
}

async function saved(device, isNew) {
  say(`${device.name} was ${isNew ? "added" : "saved"}.`);
  await loadDevices();
}

function askToDelete(device) {
  const dialog = $("confirm");
  $("confirm-title").textContent = `Delete ${device.name}?`;
  dialog.returnValue = "cancel";
  dialog.addEventListener("close", () => dialog.returnValue === "delete" && remove(device), { once: true });
  dialog.showModal();
}

async function remove(device) {
  try {
    await call("DELETE", `devices/${device.id}`);
    say(`${device.name} was deleted.`);
  } catch (error) {
    say(`${device.name} could not be deleted: ${error.message}.`, true);
  }
  await loadDevices();
  // The button that had the focus is gone.
  $("devices").focus();
}

function say(text, bad = false) {
  $("message").textContent = text;
  $("message").classList.toggle("bad", bad);
}
