/** What the page says of a splice, in words. Between a number and its unit no line breaks. */
export const NAMES = ["A", "B"];

/** `09:04:33`, in UTC. */
export function formatTime(timeMs) {
  return new Date(timeMs).toISOString().slice(11, 19);
}

/** What is seen: two sentences, or three. */
export function describeSplice({ name, coverage }) {
  const { samples, replicas, holes, holesMs, nearDuplicates, survey } = coverage;
  const [ofA, ofB] = replicas.map((replica) => replica.samples);
  // A hole of both replicas is one that nobody can fill.
  const needless = holes.filter((hole) => !survey.union.holes.some((both) => overlaps(hole, both)));
  return [
    `${name} shows ${samples} samples, ${ofA} of A and ${ofB} of B.`,
    needless.length === 0
      ? `Its only hole, ${holesMs / 1000}\u{a0}s long, is where neither has a sample.`
      : `It leaves ${holes.length} holes, ${holesMs / 1000}\u{a0}s in all; ${needless.length} of them a replica could fill.`,
    ...(nearDuplicates === 0 ? [] : [`${nearDuplicates} samples are doubled.`]),
  ].join(" ");
}

function overlaps(one, other) {
  return one.fromMs < other.toMs && one.toMs > other.fromMs;
}

/** How much a replica supplies from a switch on, and why it does; `before` is the span that ends there. */
export function describeSpan({ replica, samples, reason }, before) {
  const name = NAMES[replica];
  const other = NAMES[before?.replica];
  return `${samples} ${samples === 1 ? "sample" : "samples"}: ${describeReason(reason, name, other)}`;
}

function describeReason(reason, name, other) {
  switch (reason.kind) {
    case "first":
      return "the first that is shown";
    case "hole":
      return `${other} has a hole`;
    case "preferred":
      return `${name} goes before ${other}, and has samples again`;
    case "penalty":
      return `${other} is silent for ${reason.gapMs / 1000}\u{a0}s, others are let in after ${reason.penaltyMs / 1000}\u{a0}s`;
    case "exhausted":
      return `${other} has no more samples`;
    case "last-in-bucket":
      return "its sample is the last in 15\u{a0}s";
    case "next-in-time":
      return "its sample is the next one";
    default:
      return reason.kind;
  }
}
