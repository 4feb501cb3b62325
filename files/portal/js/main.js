import { loadDevices, startDevices } from "./devices.js";
import { startEditor } from "./editor.js";
import { startEvents } from "./live.js";
import { startEcho, startHealth } from "./server.js";

startEditor();
startDevices();
startHealth();
startEcho();
startEvents(loadDevices);
