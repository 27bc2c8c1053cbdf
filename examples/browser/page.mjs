/**
 * Splices the arrays of two replicas in the page, and draws them: both replicas, the spliced series, and who supplies it. No
 * server takes part.
 */
import { chain, coverage, dedup, explainer, fill, interval, penalty } from "@promsplice/core";
import { drawReplica, drawSpliced } from "./picture.mjs";
import { INTERVAL_MS, replicas } from "./replicas.mjs";
import { describeSpan, describeSplice, formatTime, NAMES } from "./wording.mjs";

const strategies = {
  fill: fill({ intervalMs: INTERVAL_MS }),
  penalty: penalty(),
  interval: interval({ intervalMs: INTERVAL_MS }),
  chain: chain(),
};

/** The library's part: columns in, columns out, and two collectors that tell how it went. */
const splices = Object.entries(strategies).map(([name, strategy]) => {
  const explain = explainer();
  const measure = coverage({ level: "replicas", intervalMs: INTERVAL_MS });
  const columns = dedup(replicas, strategy, { explain, coverage: measure });
  return { name, columns, spans: explain.spans, coverage: measure };
});

/** Who else splices so. */
const SOURCES = { fill: "ours", penalty: "Thanos", interval: "VictoriaMetrics", chain: "all samples" };
const SPANS_SHOWN = 8;
const find = (id) => document.getElementById(id);

for (const [index, { holes }] of splices[0].coverage.survey.replicas.entries()) {
  drawReplica(find(`replica-${NAMES[index].toLowerCase()}`), index, replicas[index], holes);
}
const draw = drawSpliced(find("spliced"), (sample) => {
  find("readout").textContent =
    sample === undefined
      ? "Point at the chart, or press ← and → on it, to read a sample."
      : `${formatTime(sample.timeMs)} UTC: ${sample.value.toFixed(1)} °C, from replica ${sample.name}`;
});
find("strategies").addEventListener("change", showChosen);
showChosen();

function showChosen() {
  const chosen = document.querySelector("[name=strategy]:checked").getAttribute("value");
  const splice = splices.find(({ name }) => name === chosen);
  draw(splice);
  find("seen").textContent = describeSplice(splice);
  find("comparison").replaceChildren(...splices.map((one) => makeRow(one, one === splice)));
  const { spans } = splice;
  find("spans").replaceChildren(
    ...spans.slice(0, SPANS_SHOWN).map((span, index) => makeItem(span, spans[index - 1])),
    ...(spans.length > SPANS_SHOWN ? [makeElement("li", `… and ${spans.length - SPANS_SHOWN} more`)] : []),
  );
}

function makeRow({ name, coverage: { samples, replicas: shares, holeCount, nearDuplicates } }, isChosen) {
  const row = makeElement("tr");
  row.className = isChosen ? "chosen" : "";
  const heading = makeElement("th", `${name} `);
  heading.scope = "row";
  heading.append(makeElement("small", SOURCES[name]));
  const numbers = [samples, ...shares.map((share) => share.samples), holeCount, nearDuplicates];
  row.append(heading, ...numbers.map((number) => makeElement("td", number)));
  return row;
}

function makeItem(span, before) {
  const item = makeElement("li");
  const name = makeElement("b", NAMES[span.replica]);
  name.className = name.textContent.toLowerCase();
  const times = makeElement("span", `${formatTime(span.firstMs)} – ${formatTime(span.lastMs)}`);
  item.append(times, name, makeElement("span", describeSpan(span, before)));
  return item;
}

function makeElement(tag, text = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
