// The hall's screen: what is new is asked for every five seconds and put in its place; the chart of the
// days is drawn from the table behind it, so both always say the same.
const EVERY_MS = 5000;
const box = document.getElementById("trend");
const css = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
let chart = null;

const days = () => [...document.querySelectorAll("#trend-table tr[data-day]")].map((row) => ({
  day: row.dataset.day, accepted: Number(row.dataset.a), completed: Number(row.dataset.c),
}));

function line(name, color, values, dashed) {
  return {
    name, type: "line", data: values, showSymbol: false, symbolSize: 10, lineStyle: { width: dashed ? 2 : 3, type: dashed ? "dashed" : "solid", color },
    itemStyle: { color }, emphasis: { focus: "series" }, areaStyle: dashed ? undefined : { color, opacity: 0.14 },
  };
}

// The day the title speaks of, marked.
function peak(list, size) {
  const top = Math.max(0, ...list.map((d) => d.accepted));
  return {
    type: "line", silent: true, tooltip: { show: false }, lineStyle: { opacity: 0 }, symbol: "circle", symbolSize: 12, showAllSymbol: true,
    data: list.map((d) => (top && d.accepted === top ? d.accepted : null)),
    itemStyle: { color: css("--wall-ink"), borderColor: css("--wall-blue"), borderWidth: 3 },
    label: { show: true, position: "top", color: css("--wall-ink"), fontSize: size + 2, fontWeight: 600,
      formatter: ({ value }) => value.toLocaleString("en-US") },
  };
}

function draw() {
  if (!chart) return;
  const list = days();
  const text = { color: css("--wall-soft"), fontSize: Math.max(12, Math.round(window.innerHeight / 72)) };
  chart.setOption({
    animation: false,
    aria: { enabled: false },
    textStyle: { fontFamily: css("--yz-font") },
    grid: { left: 8, right: 16, top: 36, bottom: 4, containLabel: true },
    legend: { data: [box.dataset.accepted, box.dataset.completed], top: 0, right: 8, textStyle: text, itemWidth: 28 },
    tooltip: { trigger: "axis", renderMode: "richText" },
    xAxis: { type: "category", data: list.map((d) => d.day), axisLabel: { ...text, hideOverlap: true, formatter: (d) => d.slice(5) }, axisLine: { lineStyle: { color: css("--wall-line") } }, axisTick: { show: false } },
    yAxis: { type: "value", min: 0, axisLabel: text, splitLine: { lineStyle: { color: css("--wall-line"), opacity: 0.5 } } },
    series: [
      line(box.dataset.accepted, css("--wall-blue"), list.map((d) => d.accepted), false),
      line(box.dataset.completed, css("--wall-gold"), list.map((d) => d.completed), true),
      peak(list, text.fontSize),
    ],
  });
}

function start() {
  if (!box || !window.echarts) return;
  chart = window.echarts.init(box, null, { renderer: "canvas" });
  // Each day opens its records; the whole plane is the target, not only the thin line.
  chart.getZr().on("click", (event) => {
    const point = [event.offsetX, event.offsetY];
    if (!chart.containPixel("grid", point)) return;
    const [at] = chart.convertFromPixel({ gridIndex: 0 }, point);
    const day = days()[Math.round(at)]?.day;
    if (day) window.location.assign(`${box.dataset.href}?from=${day}&to=${day}`);
  });
  draw();
  new ResizeObserver(() => { chart.resize(); draw(); }).observe(box);
}

// Nothing is moved under the hand: what holds the focus waits for the next time.
function put(page) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = old.id && page.getElementById(old.id);
    if (!fresh || fresh.innerHTML === old.innerHTML || old.contains(document.activeElement)) continue;
    const open = [...old.querySelectorAll("details")].map((d) => d.open);
    old.replaceChildren(...fresh.childNodes);
    old.querySelectorAll("details").forEach((d, i) => { d.open = open[i] ?? false; });
  }
  draw();
}

async function ask() {
  if (document.hidden) return;
  const answer = await fetch(window.location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  document.body.classList.toggle("stale", !answer?.ok);
  if (!answer?.ok || answer.redirected) return;
  put(new DOMParser().parseFromString(await answer.text(), "text/html"));
}

start();
setInterval(ask, EVERY_MS);
