// JSON files that keep the look their author gave them: what was not changed is printed as it stood, so
// that who approves sees what changed and nothing else. What is new is printed as the packs are written:
// two spaces, small things on one line.
const WIDTH = 100;

const key = (depth, value) => depth + JSON.stringify(value);
const wide = (text) => [...text].reduce((n, c) => n + (c > "\u2e80" ? 2 : 1), 0);

/** {value, print(value)}. Throws a SyntaxError as JSON.parse does. */
export function openJson(text) {
  const value = JSON.parse(text);
  const slices = new Map();
  let at = 0;
  const blank = () => { while (" \t\r\n".includes(text[at]) && at < text.length) at++; };
  function string() {
    const from = at++;
    while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    return text.slice(from, ++at);
  }
  function walk(depth) {
    blank();
    const from = at;
    if (text[at] === "{" || text[at] === "[") {
      const close = text[at] === "{" ? "}" : "]";
      at++;
      blank();
      while (text[at] !== close) {
        if (close === "}") {
          string();
          blank();
          at++;
        }
        walk(depth + 1);
        blank();
        if (text[at] === ",") at++;
        blank();
      }
      at++;
    } else if (text[at] === '"') string();
    else while (at < text.length && !" \t\r\n,]}".includes(text[at])) at++;
    const slice = text.slice(from, at);
    slices.set(key(depth, JSON.parse(slice)), slice);
  }
  walk(0);
  const end = /\n$/.test(text) ? "\n" : "";

  function flat(v) {
    if (Array.isArray(v)) return `[${v.map(flat).join(", ")}]`;
    if (v && typeof v === "object") return `{${Object.entries(v).map(([k, x]) => `${JSON.stringify(k)}: ${flat(x)}`).join(", ")}}`;
    return JSON.stringify(v);
  }
  function print(v, depth, used) {
    if (v === null || typeof v !== "object") return JSON.stringify(v);
    const kept = slices.get(key(depth, v));
    if (kept) return kept;
    const line = flat(v);
    const small = !Object.values(v).some((x) => x && typeof x === "object" && !Array.isArray(x));
    if (depth > 0 && small && wide(line) + used + 2 * depth < WIDTH) return line;
    const pad = "  ".repeat(depth + 1);
    const parts = Array.isArray(v)
      ? v.map((x) => pad + print(x, depth + 1, 1))
      : Object.entries(v).map(([k, x]) => `${pad}${JSON.stringify(k)}: ${print(x, depth + 1, wide(k) + 5)}`);
    const [open, close] = Array.isArray(v) ? "[]" : "{}";
    return parts.length ? `${open}\n${parts.join(",\n")}\n${"  ".repeat(depth)}${close}` : open + close;
  }
  return { value, print: (v) => print(v, 0, 0) + end };
}

/** A JSON file of the room: {value, write()}. Change `value`, then write. */
export function roomJson(room, path) {
  const file = openJson(room.get(path));
  return { value: file.value, write: () => room.set(path, file.print(file.value)) };
}

/** Sets a member, or takes it away when it is empty. */
export function put(object, name, value) {
  if (value === "" || value === null || value === undefined || value === false) delete object[name];
  else object[name] = value;
}

export function move(list, from, by) {
  const to = from + by;
  if (to < 0 || to >= list.length) return false;
  list.splice(to, 0, ...list.splice(from, 1));
  return true;
}
