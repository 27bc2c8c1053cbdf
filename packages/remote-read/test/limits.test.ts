/**
 * Limits on how many and how long: what is as much as a limit passes, one more fails, and before anything is made of it.
 * The other limits are tested where what they limit is: frames, order, samples, requests at the same time, and clocks.
 */
import { afterEach, describe, expect, test } from "vitest";

import type { RemoteReaderLimits } from "../src/client.ts";
import { readHandler, type ReadHandlerLimits } from "../src/handler.ts";
import { memoryReader } from "../src/memory-reader.ts";
import { compressSnappy } from "../src/wire/snappy.ts";
import { answerWhole, SAMPLES_TYPE, stopServers, STREAMED_TYPE } from "./answering-server.ts";
import { concatenate, field, frameOf, fromHex, fromText, varint } from "./bytes.ts";
import { readFrom } from "./client-exchange.ts";
import { failureOf, requestOf } from "./read-exchange.ts";

afterEach(stopServers);

const NOT_TEXT = fromHex("ff");

function label(name: string, value: string | Uint8Array): Uint8Array {
  const text = typeof value === "string" ? fromText(value) : value;
  return field(1, concatenate(field(1, fromText(name)), field(2, text)));
}

/** One sample at 1 ms of value 0, in either form. */
const FLOAT_CHUNK = field(2, fromHex("0801 1001 1801 220b 0001 02 0000000000000000"));
const SAMPLE = field(2, fromHex("09 0000000000000000 1001"));

/** The body of an answer with these series, each given as its fields, and its content type. */
type Form = (...series: readonly (readonly Uint8Array[])[]) => readonly [Uint8Array, string];

const FORMS: Readonly<Record<string, Form>> = {
  "one frame": (...series) => [
    frameOf(concatenate(...series.map((fields) => field(1, concatenate(...fields, FLOAT_CHUNK))))),
    STREAMED_TYPE,
  ],
  "a frame a series": (...series) => [
    concatenate(...series.map((fields) => frameOf(field(1, concatenate(...fields, FLOAT_CHUNK))))),
    STREAMED_TYPE,
  ],
  samples: (...series) => [
    compressSnappy(field(1, concatenate(...series.map((fields) => field(1, concatenate(...fields, SAMPLE)))))),
    SAMPLES_TYPE,
  ],
};

/** What becomes of an answer: how many series there are, and the code and the text of the error. */
async function read(
  [body, type]: readonly [Uint8Array, string],
  limits: Partial<RemoteReaderLimits>,
): Promise<readonly [number, string | undefined, string | undefined]> {
  const { error, series } = await readFrom(answerWhole(body, type), { limits });
  return [series.length, error?.code, error?.message];
}

describe.each(Object.entries(FORMS))("an answer in the form of %s", (name, form) => {
  test("has at most so many series", async () => {
    const series = ["1", "2", "3"].map((value) => [label("a", value)]);
    expect(await read(form(...series), { seriesMax: 3 })).toEqual([3, undefined, undefined]);
    const [, code, message] = await read(form(...series), { seriesMax: 2 });
    expect([code, message]).toEqual(["limit-exceeded", expect.stringMatching(/^the answer has more than 2 series/)]);
    // The third is not looked at where it would have to be decoded beside the others.
    const [, bad] = await read(form(...series.slice(0, 2), [label("a", NOT_TEXT)]), { seriesMax: 2 });
    expect(bad).toBe(name === "a frame a series" ? "labels-malformed" : "limit-exceeded");
  });

  test("has series of at most so many labels", async () => {
    const labels = ["a", "b", "c"].map((letter) => label(letter, "1"));
    expect(await read(form(labels), { labelsMax: 3 })).toEqual([1, undefined, undefined]);
    const [, code, message] = await read(form(labels), { labelsMax: 2 });
    expect([code, message]).toEqual([
      "limit-exceeded",
      expect.stringMatching(/^a series has more than 2 labels, at byte \d+$/),
    ]);
    const [, bad] = await read(form([...labels.slice(0, 2), label("c", NOT_TEXT)]), { labelsMax: 2 });
    expect(bad).toBe("limit-exceeded");
  });

  test("has labels of at most so many bytes, which are not decoded where they are more", async () => {
    // Two bytes say that there is a name or a value and how long it is.
    const bytes = 2 + 1 + 2 + 100;
    const long = "x".repeat(100);
    expect(await read(form([label("a", long)]), { labelBytesMax: bytes })).toEqual([1, undefined, undefined]);
    const [, code, message] = await read(form([label("a", long)]), { labelBytesMax: bytes - 1 });
    expect([code, message]).toEqual([
      "limit-exceeded",
      expect.stringMatching(/^the label at byte \d+ is 105 bytes, limit is 104$/),
    ]);
    const notText = concatenate(fromText("x".repeat(99)), NOT_TEXT);
    expect((await read(form([label("a", notText)]), { labelBytesMax: bytes - 1 }))[1]).toBe("limit-exceeded");
    expect((await read(form([label("a", notText)]), { labelBytesMax: bytes }))[1]).toBe("labels-malformed");
  });

  test("has limits that real answers do not come near", async () => {
    const labels = Array.from({ length: 1000 }, (_, index) => label(`a${index}`, "1"));
    expect((await read(form(labels), {}))[1]).toBeUndefined();
    expect((await read(form([...labels, label("b", "1")]), {}))[1]).toBe("limit-exceeded");
    expect((await read(form([label("a", "x".repeat((1 << 20) - 7))]), {}))[1]).toBeUndefined();
    expect((await read(form([label("a", "x".repeat(1 << 20))]), {}))[1]).toBe("limit-exceeded");
  });
});

describe("a streamed answer", () => {
  test("counts a series once that goes on in another frame", async () => {
    const [body, type] = FORMS["a frame a series"]!(...["1", "1", "1", "2"].map((value) => [label("a", value)]));
    expect((await read([body, type], { seriesMax: 2 })).slice(0, 2)).toEqual([2, undefined]);
    expect((await read([body, type], { seriesMax: 1 }))[1]).toBe("limit-exceeded");
  });

  test("has frames whose series and chunks take at most so much memory, counted before it is taken", async () => {
    const empty = [...label("a", "1"), ...field(2, new Uint8Array(0)), ...field(2, new Uint8Array(0))];
    const body = frameOf(field(1, Uint8Array.from(empty)));
    // 256 bytes a series, 128 a chunk; the bytes of the frame count only where the series is held.
    const memory = 256 + 2 * 128;
    const held = memory + body.length - 5;
    expect((await read([body, STREAMED_TYPE], { seriesBytesMax: held }))[1]).toBeUndefined();
    for (const seriesBytesMax of [held - 1, memory, memory - 1]) {
      const [, code, message] = await read([body, STREAMED_TYPE], { seriesBytesMax });
      expect([code, message]).toEqual([
        "limit-exceeded",
        seriesBytesMax < memory
          ? `the series and chunks of one frame take more than ${seriesBytesMax} bytes of memory`
          : `{a="1"} is ${held} bytes so far, limit is ${seriesBytesMax}`,
      ]);
    }
  });
});

test("an error over a limit names the server and the place", async () => {
  const { error } = await readFrom(answerWhole(...FORMS["samples"]!([label("a", "1")])), {
    name: "A",
    limits: { labelsMax: 0 },
  });
  expect([error?.replica, error?.offset]).toEqual(["A", 5]);
});

/** A matcher `__name__=~` with this value, as a field of a query. */
function matcher(value: string | Uint8Array): Uint8Array {
  const text = typeof value === "string" ? fromText(value) : value;
  return field(3, concatenate(fromHex("0802"), field(2, fromText("__name__")), field(3, text)));
}

/** What a handler with these limits answers to a request of these fields. */
async function ask(limits: Partial<ReadHandlerLimits>, ...fields: readonly Uint8Array[]): Promise<number | string> {
  const handle = readHandler(memoryReader([]), { limits });
  const response = await handle(requestOf(compressSnappy(concatenate(...fields))));
  return response.status === 200 ? 200 : (await failureOf(response)).join(" ");
}

describe("a request", () => {
  test("has matchers of at most so many bytes, which are not decoded where they are more", async () => {
    // The type; name and value, before each of which two bytes stand.
    const bytes = 2 + 2 + 8 + 2 + 50;
    const query = field(1, concatenate(matcher("b"), matcher("x".repeat(50))));
    const bad = field(1, matcher(concatenate(fromText("x".repeat(49)), NOT_TEXT)));
    expect(await ask({ matcherBytesMax: bytes }, query)).toBe(200);
    expect(await ask({ matcherBytesMax: bytes - 1 }, field(1, matcher("b")), query)).toBe(
      "400 query 1 has a matcher of 64 bytes, limit is 63\n",
    );
    expect(await ask({ matcherBytesMax: bytes - 1 }, bad)).toMatch(/^400 query 0 has a matcher of 64 bytes/);
    expect(await ask({ matcherBytesMax: bytes }, bad)).toMatch(/^400 .* is not UTF-8/);
    expect(await ask({}, field(1, matcher("x".repeat((1 << 20) - 16))))).toBe(200);
    expect(await ask({}, field(1, matcher("x".repeat(1 << 20))))).toMatch(/^400 .*, limit is 1048576/);
  });

  test("is at most so long as it says to be decompressed", async () => {
    const message = field(15, new Uint8Array(10_000));
    expect(await ask({ requestBytesMax: message.length }, message)).toBe(200);
    expect(await ask({ requestBytesMax: message.length - 1 }, message)).toBe(
      `400 snappy: decoded length ${message.length} exceeds limit ${message.length - 1}\n`,
    );
  });

  test("groups by at most as many names as it may have matchers", async () => {
    const query = field(
      1,
      concatenate(matcher("a"), field(4, concatenate(...["a", "b"].map((name) => field(5, fromText(name)))))),
    );
    expect(await ask({ matchersMax: 2 }, query)).toBe(200);
    expect(await ask({ matchersMax: 1 }, query)).toBe("400 query 0 groups by more than 1 names\n");
  });

  test("accepts at most so many response types, packed or not, known or not", async () => {
    const packed = field(2, Uint8Array.of(1, 0, 7));
    const single = concatenate(...[1, 0, 7].map((type) => concatenate(varint(2 << 3), varint(type))));
    for (const types of [packed, single]) {
      expect(await ask({ responseTypesMax: 3 }, types)).toBe(200);
      expect(await ask({ responseTypesMax: 2 }, types)).toBe("400 request accepts more than 2 response types\n");
    }
    expect(await ask({}, field(2, new Uint8Array(16)))).toBe(200);
    expect(await ask({}, field(2, new Uint8Array(17)))).toBe("400 request accepts more than 16 response types\n");
  });
});
