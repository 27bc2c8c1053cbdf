/** The charts: lines and points by uPlot, and what is painted behind them. */
import uPlot from "uplot";
import { END_MS, INTERVAL_MS, START_MS } from "./replicas.mjs";
import { formatTime, NAMES } from "./wording.mjs";

/** In pixels of CSS. */
const BAND_HEIGHT = 18;
const FONT_SIZE = 12;
const FONT = `${FONT_SIZE}px system-ui, sans-serif`;
/** @type {[number, number]} */
const DEGREES = [40, 75];

/** One replica: its samples, and its holes. */
export function drawReplica(element, replica, { timestamps, values }, holes) {
  const lastMs = timestamps.at(-1);
  const shownHoles = END_MS - lastMs > 1.5 * INTERVAL_MS ? [...holes, { fromMs: lastMs, toMs: END_MS }] : holes;
  makeChart(element, {
    series: [{ stroke: colour(NAMES[replica]), width: 1, points: dots(NAMES[replica]) }],
    data: breakAtHoles([timestamps, values], holes),
    paint: (chart) => shownHoles.forEach((hole) => paintHole(chart, hole)),
  });
}

/**
 * The spliced series: a line that breaks at holes, points in the colour of the replica that they are from, and a band above
 * that says who that is.
 *
 * @param onSample Told of the sample under the cursor, or of none.
 */
export function drawSpliced(element, onSample) {
  let splice;
  const pointsOf = (name) => ({ stroke: colour(name), paths: () => null, points: dots(name) });
  const chart = makeChart(element, {
    series: [{ stroke: colour("line"), width: 1, points: { show: false } }, pointsOf("A"), pointsOf("B")],
    data: [[], [], [], []],
    paint: () => {
      if (splice !== undefined) {
        findStretches(splice).forEach((stretch) => paintStretch(chart, stretch));
        splice.coverage.holes.forEach((hole) => paintHole(chart, hole));
      }
    },
    isLast: true,
    onCursor: ({ cursor: { idx: row }, data: [times, values, ofA] }) => {
      const isHole = row === null || values[row] === null;
      onSample(isHole ? undefined : { timeMs: times[row], value: values[row], name: ofA[row] === null ? "B" : "A" });
    },
  });
  stepByKeys(element, chart);
  onSample(undefined);
  return (next) => {
    splice = next;
    const { timestamps, values } = splice.columns;
    const suppliers = suppliersOf(splice);
    const [ofA, ofB] = [0, 1].map((replica) =>
      Array.from(values, (value, row) => (suppliers[row] === replica ? value : null)),
    );
    chart.setData(breakAtHoles([timestamps, values, ofA, ofB], splice.coverage.holes));
  };
}

/** Which replica each sample of a splice is from. */
function suppliersOf({ spans }) {
  return spans.flatMap(({ replica, samples }) => Array.from({ length: samples }, () => replica));
}

/** The time that each replica supplies: a change is halfway between two samples, and in a hole there is nothing. */
function findStretches({ columns: { timestamps }, spans, coverage: { holes } }) {
  const suppliers = suppliersOf({ spans });
  const stretches = [];
  for (const [row, timeMs] of timestamps.entries()) {
    const last = stretches.at(-1);
    const isAfterHole = holes.some(({ toMs }) => toMs === timeMs);
    if (last !== undefined && last.replica === suppliers[row] && !isAfterHole) {
      last.toMs = timeMs;
      continue;
    }
    const fromMs = last === undefined || isAfterHole ? timeMs : (last.toMs + timeMs) / 2;
    if (last !== undefined && !isAfterHole) {
      last.toMs = fromMs;
    }
    stretches.push({ replica: suppliers[row], fromMs, toMs: timeMs });
  }
  return stretches;
}

/** uPlot draws no line through a null: columns with a row of nulls in the middle of each hole. */
function breakAtHoles(columns, holes) {
  const [timestamps, ...values] = columns.map((column) => [...column]);
  for (const { fromMs, toMs } of holes) {
    const row = timestamps.findIndex((timeMs) => timeMs > fromMs);
    timestamps.splice(row, 0, (fromMs + toMs) / 2);
    values.forEach((column) => column.splice(row, 0, null));
  }
  return [timestamps, ...values];
}

/** A chart as large as its element, over the whole twenty minutes, in the colours of the page. The last one has the times. */
function makeChart(element, { series, data, paint, isLast = false, onCursor = (_chart) => {} }) {
  const size = () => ({ width: element.clientWidth, height: element.clientHeight });
  const axis = {
    font: FONT,
    stroke: colour("quiet"),
    grid: { stroke: colour("grid"), width: 1 },
    ticks: { show: false },
  };
  const times = {
    size: 24,
    gap: 8,
    space: 56,
    values: (_, splits) => splits.map((timeMs) => formatTime(timeMs).slice(0, 5)),
  };
  const label = { label: "time of day, UTC", labelFont: FONT, labelSize: 20, labelGap: 0 };
  const chart = new uPlot(
    {
      ...size(),
      ms: 1,
      padding: [isLast ? BAND_HEIGHT + 4 : 6, 20, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false }, y: false, sync: { key: "time" }, points: { show: isLast } },
      scales: { x: { range: [START_MS, END_MS] }, y: { range: DEGREES } },
      axes: [
        { ...axis, ...times, ...(isLast ? label : { size: 6, values: () => [] }) },
        { ...axis, size: 52, space: 16, incrs: [10], values: (_, splits) => splits.map((degrees) => `${degrees} °C`) },
      ],
      series: [{}, ...series],
      hooks: { drawClear: [paint], setCursor: [onCursor] },
    },
    data,
    element,
  );
  new ResizeObserver(() => chart.setSize(size())).observe(element);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.redraw());
  return chart;
}

function paintHole(chart, { fromMs, toMs }) {
  const { left, right, top, height } = boxOf(chart, fromMs, toMs);
  chart.ctx.save();
  chart.ctx.fillStyle = colour("hole")();
  chart.ctx.globalAlpha = 0.16;
  chart.ctx.fillRect(left, top, right - left, height);
  chart.ctx.restore();
}

/** A tint behind the samples, and above them a band with the replica's name where there is room for it. */
function paintStretch(chart, { replica, fromMs, toMs }) {
  const { ctx } = chart;
  const { left, right, top, height } = boxOf(chart, fromMs, toMs);
  const bandHeight = BAND_HEIGHT * uPlot.pxRatio;
  const bandTop = top - bandHeight - 2 * uPlot.pxRatio;
  ctx.save();
  ctx.fillStyle = colour(NAMES[replica])();
  ctx.fillRect(left, bandTop, right - left, bandHeight);
  ctx.globalAlpha = 0.09;
  ctx.fillRect(left, top, right - left, height);
  if (right - left > bandHeight) {
    ctx.globalAlpha = 1;
    ctx.fillStyle = colour("card")();
    ctx.font = `bold ${FONT_SIZE * uPlot.pxRatio}px system-ui, sans-serif`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(NAMES[replica], (left + right) / 2, bandTop + bandHeight / 2);
  }
  ctx.restore();
}

/** A stretch of time on a chart's canvas, in its pixels. */
function boxOf(chart, fromMs, toMs) {
  const { top, height } = chart.bbox;
  return { left: chart.valToPos(fromMs, "x", true), right: chart.valToPos(toMs, "x", true), top, height };
}

/** ← and → go from sample to sample. */
function stepByKeys(element, chart) {
  element.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const row = Math.min(Math.max((chart.cursor.idx ?? -1) + step, 0), chart.data[0].length - 1);
      chart.setCursor({ left: chart.valToPos(chart.data[0][row], "x"), top: 0 });
    }
  });
}

function dots(name) {
  return { show: true, size: 4, width: 0, fill: colour(name) };
}

/** A colour of the style sheet as it is when it is asked for, light or dark. */
function colour(name) {
  return () => getComputedStyle(document.documentElement).getPropertyValue(`--${name.toLowerCase()}`);
}
