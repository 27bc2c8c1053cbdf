/**
 * The file in which chunks go to the Go program:
 *
 *     "PSCHUNK1"   8 bytes
 *     per chunk, up to the end of the file:
 *       uint32     its length in bytes, little-endian
 *       bytes      the chunk, which begins with its number of samples
 */
import { writeFileSync } from "node:fs";

/** Writes chunks, replacing what is there. Throws the errors of `node:fs`. */
export function writeChunksFile(filePath: string, chunks: readonly Uint8Array[]): void {
  const parts = chunks.flatMap((chunk) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(chunk.length);
    return [length, chunk];
  });
  writeFileSync(filePath, Buffer.concat([Buffer.from("PSCHUNK1"), ...parts]));
}
