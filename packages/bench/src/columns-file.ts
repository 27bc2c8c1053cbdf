/**
 * The file in which columns go to the Go program: little-endian, nothing between the parts.
 *
 *     "PSCOLUM1"   8 bytes
 *     uint64       number of replicas
 *     per replica:
 *       uint64     number of rows
 *       float64 …  timestamps in milliseconds
 *       float64 …  values
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import os from "node:os";
import type { Columns } from "@promsplice/core";

/**
 * Writes the columns of replicas, replacing what is there.
 *
 * @throws Error on a machine that is not little-endian; the errors of `node:fs`.
 */
export function writeColumnsFile(filePath: string, replicas: readonly Columns[]): void {
  const file = openSync(filePath, "w");
  try {
    writeSync(file, "PSCOLUM1");
    writeSync(file, countBytes(replicas.length));
    for (const { timestamps, values } of replicas) {
      writeSync(file, countBytes(timestamps.length));
      writeSync(file, bytesOf(timestamps));
      writeSync(file, bytesOf(values));
    }
  } finally {
    closeSync(file);
  }
}

/** The SHA-256 of the columns as the file would hold them, timestamps before values; the Go program gives the same. */
export function checksumColumns({ timestamps, values }: Columns): string {
  return createHash("sha256").update(bytesOf(timestamps)).update(bytesOf(values)).digest("hex");
}

function countBytes(count: number): Uint8Array {
  return new Uint8Array(new BigUint64Array([BigInt(count)]).buffer);
}

function bytesOf(column: Float64Array): Uint8Array {
  if (os.endianness() !== "LE") {
    throw new Error("columns are written as they lie in memory, which must be little-endian");
  }
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}
