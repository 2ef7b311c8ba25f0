// The flow in bpmn-js, with a panel of our own for what each element says: names in both languages, who
// does it and within how many days, what may come out, which decision, form or letter it uses.
import Modeler from "bpmn-js/lib/Modeler";
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";

import { yzModdle } from "../yz-moddle.js";
import { add, button, h, say } from "./dom.js";
import { flowPanel } from "./flow-panel.js";
import { translateModule } from "./zh.js";

const WRITE_AFTER_MS = 250;
const PALETTE = 130; // pixels the palette takes at the left
const SCALE_MIN = 0.6; // smaller, and names can't be read
const SCALE_READ = 0.85;
const TOP = 60;

// The element a line of the file speaks of: the last id at or above it.
function idAtRow(xml, row) {
  const ids = [...xml.split("\n").slice(0, row).join("\n").matchAll(/\sid="([^"]+)"/g)];
  return ids.length ? ids.at(-1)[1] : "";
}

function bar(viewer, room) {
  const canvas = viewer.get("canvas");
  const stack = room.mayEdit ? viewer.get("commandStack") : null;
  const undo = room.mayEdit && button("↶", () => stack.undo(), { title: say("撤销", "Undo") });
  const redo = room.mayEdit && button("↷", () => stack.redo(), { title: say("重做", "Redo") });
  const show = () => {
    if (!stack) return;
    undo.disabled = !stack.canUndo();
    redo.disabled = !stack.canRedo();
  };
  if (stack) viewer.on("commandStack.changed", show);
  show();
  return h("div", { class: "studio-bar" }, undo, redo,
    button("+", () => canvas.zoom(Math.min(3, canvas.zoom() * 1.25)), { title: say("放大", "Larger") }),
    button("−", () => canvas.zoom(Math.max(0.2, canvas.zoom() / 1.25)), { title: say("缩小", "Smaller") }),
    button("⤢", () => canvas.zoom("fit-viewport", "auto"), { title: say("看全图", "Whole flow") }),
    h("span", { class: "muted small" }, room.mayEdit
      ? say("点一个环节，在右边写明谁办、几天、结果；双击改名；拖左边的图形加环节。", "Select a step and say at the right who does it, in how many days, with what outcome. Double-click renames; drag from the left to add.")
      : say("点一个环节，在右边看它的属性。", "Select a step to see what it says.")));
}

function marks(viewer) {
  const canvas = viewer.get("canvas");
  const overlays = viewer.get("overlays");
  const elements = viewer.get("elementRegistry");
  let marked = [];
  return (findings, idOf) => {
    for (const id of marked) if (elements.get(id)) for (const kind of ["error", "warning"]) canvas.removeMarker(id, `finding-${kind}`);
    overlays.remove({ type: "finding" });
    marked = [];
    const found = new Map();
    for (const f of findings) {
      if (f.file !== "flow.bpmn") continue;
      const id = idOf(f);
      if (!id || !elements.get(id)) continue;
      const list = found.get(id) ?? found.set(id, []).get(id);
      list.push(f);
    }
    for (const [id, list] of found) {
      const kind = list.some((f) => f.severity === "error") ? "error" : "warning";
      canvas.addMarker(id, `finding-${kind}`);
      marked.push(id);
      if (elements.get(id).waypoints) continue;
      overlays.add(id, "finding", { position: { top: -12, right: 10 },
        html: h("span", { class: `finding-badge finding-badge-${kind}`, title: list.map((f) => f.line).join("\n") }, kind === "error" ? "!" : "?") });
    }
  };
}

// The whole flow beside the palette, or its beginning when it could not be read so small.
function begin(canvas, left) {
  const { inner, outer } = canvas.viewbox();
  if (!outer.width || !inner.width) return;
  const whole = Math.min(1, (outer.width - left - 20) / inner.width, (outer.height - TOP) / inner.height);
  const scale = whole >= SCALE_MIN ? whole : SCALE_READ;
  const height = outer.height / scale;
  const fits = inner.height * scale + TOP <= outer.height;
  const y = fits ? inner.y + inner.height / 2 - height / 2 : inner.y - TOP / scale;
  canvas.viewbox({ x: inner.x - left / scale, y, width: outer.width / scale, height });
}

export async function openFlow(room, pane, inspector) {
  const box = h("div", { class: "studio-canvas" });
  add(pane, box);
  const options = { container: box, moddleExtensions: { yz: yzModdle }, additionalModules: [translateModule],
    textRenderer: { defaultStyle: { fontFamily: getComputedStyle(document.body).fontFamily } } };
  const viewer = room.mayEdit ? new Modeler(options) : new NavigatedViewer(options);
  try {
    await viewer.importXML(room.get("flow.bpmn"));
  } catch (problem) {
    viewer.destroy();
    throw problem;
  }
  pane.prepend(bar(viewer, room));
  begin(viewer.get("canvas"), room.mayEdit ? PALETTE : 20);

  let timer = 0;
  let pending = false;
  async function write() {
    clearTimeout(timer);
    if (!pending) return;
    pending = false;
    const { xml } = await viewer.saveXML({ format: true });
    room.set("flow.bpmn", xml);
  }
  viewer.on("commandStack.changed", () => {
    pending = true;
    clearTimeout(timer);
    timer = setTimeout(write, WRITE_AFTER_MS);
  });

  const panel = flowPanel(room, viewer, inspector);
  const elements = viewer.get("elementRegistry");
  const selection = viewer.get("selection");
  viewer.on("selection.changed", ({ newSelection }) => panel.show(newSelection.length === 1 ? newSelection[0] : null));
  viewer.on("elements.changed", ({ elements: changed }) => panel.changed(changed));
  panel.show(null);
  const mark = marks(viewer);
  const idOf = (f) => (elements.get(f.element) ? f.element : f.row ? idAtRow(room.get("flow.bpmn") ?? "", f.row) : "");
  room.flowViewer = viewer; // for tests
  return {
    flush: write,
    close() {
      clearTimeout(timer);
      viewer.destroy();
    },
    findings: (list) => mark(list, idOf),
    select(finding) {
      const element = elements.get(idOf(finding));
      if (!element) return false;
      selection.select(element);
      viewer.get("canvas").scrollToElement(element, 80);
      return true;
    },
  };
}
