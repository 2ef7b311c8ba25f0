// Bundles what the browser gets into dist/, which the build embeds in the binary.
//
//   src/app.css      -> dist/app.css       Tabler, then our tokens and components
//   src/flow-viewer.css, src/studio.css    styles only the pages with a drawn or edited flow want
//   src/<name>.js    -> dist/<name>.js     one bundle for each entry (app: every page; charts: where
//                                          there are charts; flow-viewer, studio: where flows are
//                                          shown or edited), classic scripts, no eval
//   src/icons.txt    -> dist/icons.svg     one sprite of the Tabler icons named there
//   src/static/**    -> dist/**            pictures as they are
//
// Only the files directly in src/ are entries; modules they share live in src/lib/, styles that
// app.css imports may lie beside it.
import {
  cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "dist");
const sheets = ["app.css", "flow-viewer.css", "studio.css"];
const scripts = readdirSync(join(here, "src")).filter((name) => name.endsWith(".js"));

rmSync(out, { recursive: true, force: true });
mkdirSync(out);

const common = {
  absWorkingDir: here,
  outdir: "dist",
  bundle: true,
  minify: true,
  legalComments: "none",
  logLevel: "warning",
  // Chromium 100, Firefox 100, Safari 15: phones of the last five years.
  target: ["chrome100", "firefox100", "safari15"],
};

// Styles as our Content-Security-Policy allows them. CodeMirror (inside dmn-js) writes a <style> element,
// which it forbids; a constructed sheet says the same. See docs/decisions/0009-studio-styles.md.
const allowedStyles = {
  name: "allowed-styles",
  setup(bundle) {
    bundle.onLoad({ filter: /style-mod[/\\]src[/\\]style-mod\.js$/ }, ({ path }) => {
      const before = readFileSync(path, "utf8");
      const contents = before.replace("!root.head && root.adoptedStyleSheets", "root.adoptedStyleSheets");
      if (contents === before) throw new Error(`${path}: no place to ask for a constructed sheet`);
      return { contents, loader: "js" };
    });
    // domify makes elements of HTML, where a style attribute is forbidden, too: set through the
    // element it is allowed, and the same.
    bundle.onLoad({ filter: /domify[/\\\\]index\.js$/ }, ({ path }) => {
      const before = readFileSync(path, "utf8");
      const name = "export default function domify(";
      if (!before.includes(name)) throw new Error(`${path}: no place to set styles`);
      const contents = `${before.replace(name, "function made(")}
export default function domify(html, document) {
  const element = made(typeof html === "string" ? html.replace(/ style="/g, ' data-style="') : html, document);
  const all = element.querySelectorAll ? [element, ...element.querySelectorAll("[data-style]")] : [];
  for (const e of all) {
    if (!e.hasAttribute?.("data-style")) continue;
    e.style.cssText = e.getAttribute("data-style");
    e.removeAttribute("data-style");
  }
  return element;
}
`;
      return { contents, loader: "js" };
    });
  },
};

await build({
  ...common,
  entryPoints: scripts.map((name) => join("src", name)),
  format: "iife",
  plugins: [allowedStyles],
});
await build({
  ...common,
  entryPoints: sheets.map((name) => join("src", name)),
  assetNames: "[name]-[hash]",
  loader: { ".svg": "file", ".png": "file", ".woff2": "file", ".woff": "file" },
});

// Only shapes: size, stroke and colour come from the place where an icon is used.
const icons = readFileSync(join(here, "src/icons.txt"), "utf8").split(/\s+/).filter(Boolean);
const symbols = icons.map((name) => {
  const file = join(here, "node_modules/@tabler/icons/icons/outline", `${name}.svg`);
  const shapes = readFileSync(file, "utf8")
    .replace(/^[^]*?<svg[^]*?>/, "")
    .replace(/<\/svg>\s*$/, "")
    .replace(/<path stroke="none"[^>]*\/>/, "")
    .replace(/\s*\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`;
});
writeFileSync(join(out, "icons.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`);

if (existsSync(join(here, "src/static"))) {
  cpSync(join(here, "src/static"), out, { recursive: true });
}

for (const name of readdirSync(out).sort()) {
  const { size } = statSync(join(out, name));
  console.log(`  ui/dist/${name}  ${Math.ceil(size / 1024)} KB`);
}
