/**
 * The naive twin of `explainer` under `penalty`: Thanos' rule step by step over whole lists, each sample with the reason why
 * the pair that shows it went over to it, if it did. It imports nothing from the sources.
 */
export interface Explained {
  readonly t: number;
  readonly replica: number;
  readonly reason: PenaltyReason | undefined;
}

type PenaltyReason =
  | { readonly kind: "exhausted" }
  | { readonly kind: "penalty"; readonly gapMs: number; readonly penaltyMs: number };

export function explainPenalty(replicas: readonly (readonly { readonly t: number }[])[]): Explained[] {
  const lists = replicas.map((rows, replica) => rows.map(({ t }) => ({ t, replica, reason: undefined })));
  return lists.reduce<Explained[] | undefined>((a, b) => (a === undefined ? b : joinPair(a, b)), undefined) ?? [];
}

function joinPair(a: readonly Explained[], b: readonly Explained[]): Explained[] {
  const shown: Explained[] = [];
  let restA = a;
  let restB = b;
  let lastMs = -Infinity;
  let penalties = { a: 0, b: 0 };
  let current: "a" | "b" = "a";
  for (;;) {
    if (lastMs > -Infinity) {
      restA = restA.filter(({ t }) => t >= lastMs + 1 + penalties.a);
      restB = restB.filter(({ t }) => t >= lastMs + 1 + penalties.b);
    }
    const [nextA] = restA;
    const [nextB] = restB;
    const picked = nextA !== undefined && (nextB === undefined || nextA.t <= nextB.t) ? "a" : "b";
    const [next, other] = picked === "a" ? [nextA, nextB] : [nextB, nextA];
    if (next === undefined) {
      return shown;
    }
    let { reason } = next;
    if (reason === undefined && picked !== current && lastMs > -Infinity) {
      reason =
        other === undefined
          ? { kind: "exhausted" }
          : { kind: "penalty", gapMs: other.t - lastMs, penaltyMs: penalties[picked] };
    }
    shown.push({ ...next, reason });
    const penaltyMs = lastMs === -Infinity ? 5000 : 2 * (next.t - lastMs);
    penalties = picked === "a" ? { a: 0, b: penaltyMs } : { a: penaltyMs, b: 0 };
    current = picked;
    lastMs = next.t;
  }
}
