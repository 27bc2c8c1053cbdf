/** What the report says of an answer that came whole: which replicas have failed, why, and from where on they are missing. */
import { expect } from "vitest";

import { RemoteReadError, type RemoteReadErrorCode } from "../../../src/remote-read-error.ts";
import { type AskedQuery, hasWaitedTooLong, type Standing } from "./asked-query.ts";
import type { Failure } from "./failure.ts";

/** What a reader may make of each failure. */
const CODES: Readonly<Record<Failure, readonly RemoteReadErrorCode[]>> = {
  refuse: ["connection-failed"],
  down: ["connection-failed"],
  silence: ["timeout"],
  stall: ["timeout"],
  slow: ["timeout"],
  status: ["http-status"],
  reset: ["body-truncated"],
  restart: ["body-truncated", "connection-failed"],
  server: ["body-truncated"],
  cut: ["body-truncated", "frame-truncated", "snappy-corrupt"],
  corrupt: ["frame-checksum", "frame-truncated", "frame-too-large", "protobuf-malformed", "remote-error-text"],
  text: ["remote-error-text", "frame-checksum", "frame-truncated", "frame-too-large"],
};

export function checkReport(query: AskedQuery, seriesCount: number): void {
  const { report, standings } = query;
  expect(report.series, "series in the report").toBe(seriesCount);
  expect(report.replicas.map(({ name }) => name)).toEqual(standings.map(({ plan }) => plan.name));
  for (const [index, standing] of standings.entries()) {
    const { error, isUnverifiable, leftOutFrom } = report.replicas[index]!;
    const { connection, plan } = standing;
    const about = `${plan.name}, ${connection.state} ${connection.failure}`;
    if (connection.hasAnswered) {
      expect(isUnverifiable, `${about}: unverifiable`).toBe(connection.isUnverifiable);
    }
    if (standing.isComplete) {
      expect([error, leftOutFrom], about).toEqual([undefined, undefined]);
      continue;
    }
    expect(error, about).toBeInstanceOf(RemoteReadError);
    const { code, replica } = error as RemoteReadError;
    expect(admissibleCodes(standing), about).toContain(code);
    expect(replica, about).toBe(plan.name);
    if (!standing.isOvertime) {
      expect(leftOutFrom, `${about}: left out from`).toBe(query.leftOutFrom(standing));
    }
  }
}

function admissibleCodes(standing: Standing): readonly RemoteReadErrorCode[] {
  const { deliveredBytes, ends, failure } = standing.connection;
  if (standing.isOvertime) {
    return ["timeout"];
  }
  if (failure === undefined || failure === "stall" || failure === "silence") {
    const isTime = hasWaitedTooLong(standing.connection, standing.plan);
    expect(isTime, `${standing.plan.name} was given up on when it was time`).toBe(true);
    return ["timeout"];
  }
  // Behind a whole frame nobody can take the text for anything else.
  const isBetween = deliveredBytes === 0 || ends.includes(deliveredBytes);
  return failure === "text" && isBetween ? ["remote-error-text"] : CODES[failure];
}
