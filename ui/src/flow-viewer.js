// On pages that show a flow: bpmn-js draws it over the picture the server drew.
//
//   <div class="flow" data-flow-viewer data-src="/…/flow.bpmn" data-state="/…/state.json">
//     the SVG of flow_draw
//   </div>
//
// data-src answers the flow as XML, data-state (may be absent) {"done": [ids], "active": [ids]}.
// The SVG stays what a screen reader reads and a printer prints; without script, or when anything
// fails, it stays what everybody sees. Names are in the language of the page (yz:name_en).
import { startViewers } from "./lib/flow-viewer.js";

document.addEventListener("DOMContentLoaded", () => startViewers(document));
document.addEventListener("htmx:load", (event) => startViewers(event.target));
