/**
 * Charts: every <div data-chart> takes the options from the <script type="application/json"> in the same figure.
 * A mark whose data has `href` (or whose value has) leads to the list behind it; only paths of this site are followed.
 */

const PALETTE = ["#1a5fb4", "#2fb344", "#f59f00", "#4299e1", "#ae3ec9", "#d63939", "#17a2b8", "#74b816"];
const NARROW = 480;
const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const font = getComputedStyle(document.body).fontFamily;

/** "/list?x=1" and nothing else: no scheme, no other host ("//", "/\"). */
function ownPath(href) {
  if (typeof href !== "string" || !/^\/(?![/\\])/.test(href)) return null;
  const address = new URL(href, window.location.origin);
  return address.origin === window.location.origin ? address.pathname + address.search + address.hash : null;
}

const hrefOf = (mark) => ownPath(mark?.data?.href ?? mark?.data?.value?.href ?? mark?.value?.href);

/** On a phone slanting names need the room above the next one: stood up more, they do not run out at the left. */
function fitted(options, width) {
  if (width < NARROW) for (const axis of options.xAxis ?? []) if (axis.axisLabel?.rotate) axis.axisLabel.rotate = 65;
  return options;
}

function draw(canvas) {
  const source = canvas.closest("[data-chart-figure]")?.querySelector('script[type="application/json"]');
  if (!source || !window.echarts) return;
  const options = fitted(JSON.parse(source.textContent), canvas.clientWidth);
  const chart = window.echarts.init(canvas);
  chart.setOption({
    color: PALETTE,
    aria: { enabled: true },
    ...options,
    textStyle: { fontFamily: font, ...options.textStyle },
    ...(still ? { animation: false } : {}),
  });
  chart.on("click", (mark) => {
    const href = hrefOf(mark);
    if (href) window.location.assign(href);
  });
  chart.on("mouseover", (mark) => { canvas.style.cursor = hrefOf(mark) ? "pointer" : "default"; });
  new ResizeObserver(() => chart.resize()).observe(canvas);
  canvas.dataset.chartDrawn = "true";
}

for (const canvas of document.querySelectorAll("[data-chart]")) draw(canvas);
