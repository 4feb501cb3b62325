// Live events, streamed by the API.

import { base } from "./api.js";

const SHOWN = 6;
const list = document.getElementById("events");
const state = document.getElementById("events-state");
const toggle = document.getElementById("events-toggle");
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
let source = null;
let last = "";

/** Show the stream of events; call `whenChanged` when the inventory is not what the last event told. */
export function startEvents(whenChanged) {
  toggle.addEventListener("click", () => {
    const pause = toggle.getAttribute("aria-pressed") === "false";
    toggle.setAttribute("aria-pressed", String(pause));
    follow(whenChanged);
  });
  // A hidden page gives its connection back: browsers have six for a host, for all tabs together.
  document.addEventListener("visibilitychange", () => follow(whenChanged));
  follow(whenChanged);
}

function follow(whenChanged) {
  source?.close();
  source = null;
  if (toggle.getAttribute("aria-pressed") === "true" || document.hidden) return say("paused", "Paused");
  say("unknown", "Connecting …");
  source = new EventSource(`${base}events?count=600&interval=2`);
  source.addEventListener("open", () => say("ok", "Connected"));
  source.addEventListener("inventory", (event) => show(JSON.parse(event.data), whenChanged));
  source.addEventListener("error", () => {
    // The browser connects again by itself, unless the answer was no stream at all.
    const over = source.readyState === EventSource.CLOSED;
    say("bad", over ? "No events: the server refused" : "Connection lost, trying again …");
    if (over) setTimeout(() => follow(whenChanged), 5000);
  });
}

function show(event, whenChanged) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.dateTime = event.time;
  time.textContent = clock.format(new Date(event.time));
  item.append(time, ` ${event.devices} ${event.devices === 1 ? "device" : "devices"}`);
  list.prepend(item);
  while (list.children.length > SHOWN) list.lastElementChild.remove();
  const now = `${event.devices} ${event.changed}`;
  if (last && now !== last) {
    item.classList.add("changed");
    item.append(", changed");
    whenChanged();
  }
  last = now;
}

function say(kind, text) {
  state.dataset.state = kind;
  if (state.textContent !== text) state.textContent = text;
}
