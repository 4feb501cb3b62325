// What the gateway says of itself, and what the application says of a request.

import { call } from "./api.js";

const health = document.getElementById("health");
const seen = document.getElementById("seen");

/** Show release and worker in the page's head, now and every 30 seconds. */
export function startHealth() {
  const ask = async () => {
    try {
      const { status, release, worker } = await call("GET", "_health");
      sayHealth(status === "ok" ? "ok" : "bad", `Release ${release} · worker ${worker} · ${status}`);
    } catch (error) {
      sayHealth("bad", `No health: ${error.message}`);
    }
  };
  setInterval(() => document.hidden || ask(), 30000);
  ask();
}

/** Show what a JSON POST of this page looks like behind the proxy, now and when asked. */
export function startEcho() {
  document.getElementById("seen-again").addEventListener("click", echo);
  echo();
}

async function echo() {
  try {
    const got = await call("POST", "echo", { hello: "server", sent: new Date().toISOString() });
    show({
      "Client address": got.client,
      "Host": got.host,
      "Scheme": got.scheme,
      "Request": `${got.method} ${got.path}`,
      "Body": `${got.body.length} bytes, SHA-256 ${got.body.sha256.slice(0, 12)}…`,
    });
  } catch (error) {
    show({ Error: error.message });
  }
}

function show(values) {
  seen.replaceChildren(...Object.entries(values).flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function sayHealth(state, text) {
  health.dataset.state = state;
  // Every worker may answer: only a change is worth announcing.
  if (health.textContent !== text) health.textContent = text;
}
