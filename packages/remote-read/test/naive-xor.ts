/** The XOR chunk format as `xor-format.ts` draws it, over a text of 0 and 1 and with bigints: slow and plain. */

/** A sample as 64-bit integers: time, and the value's bits. */
export interface NaiveSample {
  readonly time: bigint;
  readonly bits: bigint;
}

const TIME_MAX = 2n ** 53n;

/** What stands before each width of a step. */
const STEP_CODES: readonly (readonly [string, number])[] = [
  ["10", 14],
  ["110", 17],
  ["1110", 20],
];

/** The samples of a chunk, or what is wrong with it: `short`, `varint`, `window`, or `time` for one outside ±2^53. */
export function decodeNaively(data: Uint8Array): NaiveSample[] | string {
  const text = Array.from(data, (byte) => byte.toString(2).padStart(8, "0")).join("");
  let position = 16;
  const readText = (count: number): string => {
    position += count;
    if (position > text.length) {
      throw new Wrong("short");
    }
    return text.slice(position - count, position);
  };
  const readBits = (count: number): bigint => (count === 0 ? 0n : BigInt(`0b${readText(count)}`));
  const readUvarint = (): bigint => {
    let groups = "";
    for (;;) {
      const byte = readText(8);
      groups = byte.slice(1) + groups;
      if (byte.startsWith("0")) {
        break;
      }
      if (groups.length === 70) {
        throw new Wrong("varint");
      }
    }
    const value = BigInt(`0b${groups}`);
    if (value >= 2n ** 64n) {
      throw new Wrong("varint");
    }
    return value;
  };
  const readStep = (): bigint => {
    if (readText(1) === "0") {
      return 0n;
    }
    for (const [, width] of STEP_CODES) {
      if (readText(1) === "0") {
        const raw = readBits(width);
        return raw > 2n ** BigInt(width - 1) ? raw - 2n ** BigInt(width) : raw;
      }
    }
    return BigInt.asIntN(64, readBits(64));
  };
  try {
    const count = Number(BigInt(`0b${text.slice(0, 16)}`));
    const samples: NaiveSample[] = [];
    let [time, bits, delta, leading, significant] = [0n, 0n, 0n, 0, 64];
    for (let row = 0; row < count; row++) {
      if (row === 0) {
        const zigzag = readUvarint();
        time = checkTime(zigzag % 2n === 0n ? zigzag / 2n : -(zigzag + 1n) / 2n);
        bits = readBits(64);
      } else {
        delta = checkTime(row === 1 ? BigInt.asIntN(64, readUvarint()) : delta + readStep());
        time = checkTime(time + delta);
        if (readText(1) === "1") {
          if (readText(1) === "1") {
            leading = Number(readBits(5));
            significant = Number(readBits(6)) || 64;
            if (leading + significant > 64) {
              throw new Wrong("window");
            }
          }
          bits ^= readBits(significant) << BigInt(64 - leading - significant);
        }
      }
      samples.push({ time, bits });
    }
    return samples;
  } catch (error) {
    if (error instanceof Wrong) {
      return error.message;
    }
    throw error;
  }
}

function checkTime(time: bigint): bigint {
  if (time > TIME_MAX || time < -TIME_MAX) {
    throw new Wrong("time");
  }
  return time;
}

class Wrong extends Error {}

/** The chunk of some samples, as a fresh appender makes it. */
export function encodeNaively(samples: readonly NaiveSample[]): Uint8Array {
  let text = toBinary(BigInt(samples.length), 16);
  let window: { readonly leading: number; readonly trailing: number } | undefined;
  for (const [row, { time, bits }] of samples.entries()) {
    const before = samples[row - 1];
    if (before === undefined) {
      text += uvarintText(BigInt.asUintN(64, time < 0n ? -2n * time - 1n : 2n * time)) + toBinary(bits, 64);
      continue;
    }
    const delta = time - before.time;
    text +=
      row === 1 ? uvarintText(BigInt.asUintN(64, delta)) : stepText(delta - (before.time - samples[row - 2]!.time));
    const xor = toBinary(bits ^ before.bits, 64);
    if (!xor.includes("1")) {
      text += "0";
      continue;
    }
    const leading = Math.min(xor.indexOf("1"), 31);
    const trailing = 63 - xor.lastIndexOf("1");
    if (window !== undefined && leading >= window.leading && trailing >= window.trailing) {
      text += "10";
    } else {
      window = { leading, trailing };
      text += `11${toBinary(BigInt(leading), 5)}${toBinary(BigInt((64 - leading - trailing) % 64), 6)}`;
    }
    text += xor.slice(window.leading, 64 - window.trailing);
  }
  const bytes = text.padEnd(Math.ceil(text.length / 8) * 8, "0").match(/.{8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number(`0b${byte}`));
}

function stepText(step: bigint): string {
  if (step === 0n) {
    return "0";
  }
  for (const [code, width] of STEP_CODES) {
    const half = 2n ** BigInt(width - 1);
    if (step > -half && step <= half) {
      return code + toBinary(BigInt.asUintN(width, step), width);
    }
  }
  return `1111${toBinary(BigInt.asUintN(64, step), 64)}`;
}

function uvarintText(value: bigint): string {
  return value < 128n ? toBinary(value, 8) : `1${toBinary(value % 128n, 7)}${uvarintText(value / 128n)}`;
}

function toBinary(value: bigint, width: number): string {
  return value.toString(2).padStart(width, "0");
}
