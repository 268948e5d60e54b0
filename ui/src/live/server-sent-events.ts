export interface ServerSentEvent {
  readonly id: string;
  readonly name: string;
  readonly data: string;
}

export interface StreamReader {
  /** Called for every chunk, comments included: the stream is alive. */
  readonly heard: () => void;
  readonly received: (event: ServerSentEvent) => void;
}

/** Reads a text/event-stream body to its end. Fields other than id, event and data are not used by the server. */
export async function readServerSentEvents(stream: ReadableStream<Uint8Array>, reader: StreamReader): Promise<void> {
  const source = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (let chunk = await source.read(); !chunk.done; chunk = await source.read()) {
    reader.heard();
    const blocks = (rest + decoder.decode(chunk.value, { stream: true })).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event !== null) reader.received(event);
    }
  }
}

function parseBlock(block: string): ServerSentEvent | null {
  let id = "";
  let name = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") id = value;
    if (field === "event") name = value;
    if (field === "data") data.push(value);
  }
  return data.length === 0 ? null : { id, name, data: data.join("\n") };
}
