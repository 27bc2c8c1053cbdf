/**
 * Recordings of a real pair, cut at every byte, in each way in which a transport can tell of a cut or not. Every fourth cut
 * goes over real sockets, from the replicas to what splices them and from there to a strict client.
 *
 *     one replica cut       the expected splice: of that one what comes before the series that the report names
 *     both of them cut      a status before the first byte, a broken connection after it
 *     a cut that cannot     a body that ends cleanly at the end of a frame, or before the first one: the answer of that
 *       be seen             prefix, and nothing is reported
 */
import { campaign } from "./campaign.ts";
import { type Counts, CutCase } from "./cut-case.ts";
import { simulated, startReal } from "./cut-transport.ts";
import { CUTS } from "./recorded-cuts.ts";

const READS_AT_A_TIME = 4;
const REAL_EVERY = 4;

campaign("recordings of a pair cut at every byte", { count: CUTS.length, of: "cuts", seconds: 5 }, async (cases) => {
  const real = await startReal();
  const counts: Counts = { realCuts: 0, unseenCuts: 0, whole: 0, leftOut: 0, refused: 0, broken: 0 };
  const work = async (): Promise<void> => {
    for (const seed of cases) {
      const isReal = (seed >>> 0) % REAL_EVERY === 0;
      counts.realCuts += isReal ? 1 : 0;
      await new CutCase(seed, isReal ? real : simulated, counts).check();
    }
  };
  try {
    await Promise.all(Array.from({ length: READS_AT_A_TIME }, work));
  } finally {
    await real.stop();
  }
  return {
    "over real sockets": counts.realCuts,
    "that cannot be seen": counts.unseenCuts,
    "answers as expected": counts.whole,
    "of which a replica was left out in the middle": counts.leftOut,
    "refused where both were cut": counts.refused,
    "broken off where both were cut": counts.broken,
    "wrong answers": 0,
  };
});
