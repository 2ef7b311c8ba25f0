// A drawn flow in bpmn-js: read only, with what is done and what is active marked by a word and a
// shape beside the colour. bpmn.io's logo stands in the corner, as its licence asks.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";

import { yzModdle } from "./yz-moddle.js";

const SCALE_MIN = 0.5; // smaller, and names can't be read: then one moves the drawing instead
const HEIGHT_MIN = 180;
const HEIGHT_MAX = 560;
const MARGIN = 24;
const LOGO_ROOM = 30;
const LABEL_WIDTH_MIN = 90;

const english = () => document.documentElement.lang === "en";
const say = (zh, en) => (english() ? en : zh);

/** Puts the English names in place of the Chinese ones, with room for the longer words. */
function useEnglishNames({ elementsById, definitions }) {
  for (const element of Object.values(elementsById || {})) {
    const name = element.get && element.get("yz:name_en");
    if (name && "name" in element) element.name = name;
  }
  for (const diagram of definitions?.diagrams || []) {
    for (const drawn of diagram.plane?.planeElement || []) {
      const bounds = drawn.label?.bounds;
      if (!bounds || bounds.width >= LABEL_WIDTH_MIN) continue;
      bounds.x -= (LABEL_WIDTH_MIN - bounds.width) / 2;
      bounds.width = LABEL_WIDTH_MIN;
    }
  }
}

// What is drawn, labels too: {x, y, width, height}.
function extent(viewer) {
  const all = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  const add = (x, y) => {
    all.left = Math.min(all.left, x);
    all.top = Math.min(all.top, y);
    all.right = Math.max(all.right, x);
    all.bottom = Math.max(all.bottom, y);
  };
  for (const element of viewer.get("elementRegistry").getAll()) {
    for (const point of element.waypoints || []) add(point.x, point.y);
    if (typeof element.x !== "number" || element.waypoints) continue;
    add(element.x, element.y);
    add(element.x + element.width, element.y + element.height);
  }
  if (all.left > all.right) return { x: 0, y: 0, width: 1, height: 1 };
  return { x: all.left, y: all.top, width: all.right - all.left, height: all.bottom - all.top };
}

async function get(address, as) {
  const answer = await fetch(address, { headers: { Accept: as === "json" ? "application/json" : "*/*" } });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return as === "json" ? answer.json() : answer.text();
}

function badge(kind, text) {
  const element = document.createElement("span");
  element.className = `flow-badge flow-badge-${kind}`;
  element.textContent = text;
  return element;
}

function mark(viewer, state) {
  const canvas = viewer.get("canvas");
  const elements = viewer.get("elementRegistry");
  const overlays = viewer.get("overlays");
  const active = new Set(state.active || []);
  for (const id of new Set(state.done || [])) {
    const shape = elements.get(id);
    if (!shape || active.has(id)) continue;
    canvas.addMarker(id, "flow-is-done");
    if (shape.waypoints || shape.width < 60) continue;
    overlays.add(id, { position: { top: -9, right: 9 }, html: badge("done", "✓") });
  }
  for (const id of active) {
    const shape = elements.get(id);
    if (!shape) continue;
    canvas.addMarker(id, "flow-is-active");
    overlays.add(id, { position: { top: -12, left: -6 }, html: badge("active", say("办理中", "Now")) });
  }
}

// As large as the box is wide, never so small that it can't be read; opens at what is active.
function fit(viewer, box, state) {
  const canvas = viewer.get("canvas");
  const inner = extent(viewer);
  const whole = (box.clientWidth - 2 * MARGIN) / Math.max(1, inner.width);
  const scale = Math.max(SCALE_MIN, Math.min(1, whole));
  const height = inner.height * scale + 2 * MARGIN + LOGO_ROOM;
  box.style.height = `${Math.round(Math.max(HEIGHT_MIN, Math.min(HEIGHT_MAX, height)))}px`;
  canvas.resized();
  const width = box.clientWidth / scale;
  let x = whole < scale ? inner.x - MARGIN / scale : inner.x - (width - inner.width) / 2;
  const now = (state.active || []).map((id) => viewer.get("elementRegistry").get(id)).find(Boolean);
  if (now && whole < scale) {
    const last = inner.x + inner.width + MARGIN / scale - width;
    x = Math.max(inner.x - MARGIN / scale, Math.min(last, now.x + (now.width || 0) / 2 - width / 2));
  }
  canvas.viewbox({ x, y: inner.y - MARGIN / scale, width, height: box.clientHeight / scale });
}

function zoomButtons(viewer, box, again) {
  const bar = document.createElement("div");
  bar.className = "flow-tools";
  const add = (text, title, act) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.title = title;
    button.setAttribute("aria-label", title);
    button.addEventListener("click", act);
    bar.append(button);
  };
  const canvas = viewer.get("canvas");
  add("+", say("放大", "Larger"), () => canvas.zoom(Math.min(3, canvas.zoom() * 1.25)));
  add("−", say("缩小", "Smaller"), () => canvas.zoom(Math.max(0.2, canvas.zoom() / 1.25)));
  add("⤢", say("看全图", "Whole flow"), () => canvas.zoom("fit-viewport", "auto"));
  add("◎", say("回到现在的环节", "Back to where it stands"), again);
  box.append(bar);
}

/**
 * Draws the flow into `place` (an element of class "flow"): marks from `state` {done, active}, buttons,
 * the logo. `Viewer` is bpmn-js's NavigatedViewer. Returns the viewer; throws when the XML can't be drawn.
 */
export async function drawFlow(Viewer, place, xml, state) {
  const box = document.createElement("div");
  box.className = "flow-canvas";
  place.append(box);
  // The wheel belongs to the page; buttons make the drawing larger.
  const viewer = new Viewer({
    container: box,
    moddleExtensions: { yz: yzModdle },
    zoomScroll: { enabled: false },
  });
  if (english()) viewer.on("import.parse.complete", useEnglishNames);
  try {
    await viewer.importXML(xml);
  } catch (error) {
    viewer.destroy();
    box.remove();
    throw error;
  }
  mark(viewer, state);
  fit(viewer, box, state);
  zoomButtons(viewer, box, () => fit(viewer, box, state));
  const svg = box.querySelector(".djs-container svg");
  if (svg) svg.setAttribute("aria-hidden", "true");
  if (svg) svg.removeAttribute("tabindex");
  return viewer;
}

async function start(place) {
  const [xml, state] = await Promise.all([
    get(place.dataset.src, "text"),
    place.dataset.state ? get(place.dataset.state, "json") : {},
  ]);
  // The drawing itself is read from the SVG: the canvas is for eyes and pointers.
  const drawn = document.createElement("div");
  drawn.className = "flow-drawn";
  drawn.append(...place.childNodes);
  place.append(drawn);
  try {
    place.classList.add("flow-live");
    await drawFlow(NavigatedViewer, place, xml, state);
  } catch (error) {
    place.classList.remove("flow-live");
    place.replaceChildren(...drawn.childNodes);
    throw error;
  }
}

/** Starts every viewer below `root` that is not started yet. */
export function startViewers(root) {
  for (const place of root.querySelectorAll("[data-flow-viewer]:not([data-started])")) {
    place.dataset.started = "";
    start(place).catch((error) => console.warn(`flow: ${error.message}`));
  }
}
