import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ServerSentEvent } from "./server-sent-events.ts";
import { readServerSentEvents } from "./server-sent-events.ts";

async function read(bytes: Uint8Array, cuts: readonly number[]): Promise<readonly ServerSentEvent[]> {
  const edges = [
    0,
    ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((left, right) => left - right),
    bytes.length,
  ];
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (let index = 1; index < edges.length; index += 1)
        controller.enqueue(bytes.slice(edges[index - 1], edges[index]));
      controller.close();
    },
  });
  const events: ServerSentEvent[] = [];
  await readServerSentEvents(stream, { heard: () => undefined, received: (event) => events.push(event) });
  return events;
}

describe("the event stream", () => {
  const text =
    ': hello\n\nid: 7\nevent: request_approved\ndata: {"actor":"Ben Öz"}\n\n: .\n\nid: 8\r\nevent: a\r\ndata: 1\r\ndata: 2\r\n\r\nid: 9\ndata: cut';
  const expected = [
    { id: "7", name: "request_approved", data: '{"actor":"Ben Öz"}' },
    { id: "8", name: "a", data: "1\n2" },
  ];

  it("console R-CON-6: every event is read once, however the network cuts the bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 6 }), async (cuts) => {
        expect(await read(new TextEncoder().encode(text.replaceAll("\r\n", "\n")), cuts)).toEqual(expected);
      }),
    );
  });

  it("console R-CON-6: carriage returns, comments and an unfinished last event change nothing", async () => {
    expect(await read(new TextEncoder().encode(text), [])).toEqual(expected);
  });
});
