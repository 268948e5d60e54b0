/** Archives examined in threads: the same answers, without holding up the thread that serves calls, and in little memory. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterEach, describe, expect, it } from "vitest";
import { ARCHIVE_LIMITS } from "../../gates/deploy/archive-limits.ts";
import type { ArchiveOptions, ArchiveReading } from "../../ports/archive-reader.ts";
import { TAR_END, tarFile, tarGz } from "../../../test/support/tar-archive.ts";
import { ArchiveThreads } from "./archive-threads.ts";
import { SLOT_BYTES, SLOTS } from "./thread-messages.ts";

const OPTIONS: ArchiveOptions = {
  captures: { paths: ["convox.yml"], topLevelYaml: false },
  blobIds: ["sha1"],
  limits: ARCHIVE_LIMITS,
};
/** What one reading holds at most. */
const MEMORY = SLOTS * SLOT_BYTES;

let threads = new ArchiveThreads();
afterEach(async () => {
  await threads.close();
  threads = new ArchiveThreads();
});

function archiveOf(name: string, bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4)
    content.writeUInt32LE(Math.imul(at + name.length, 2_654_435_761) >>> 0, at);
  return tarGz([tarFile("convox.yml", name), tarFile(name, content)], 0);
}

async function sent(reading: ArchiveReading, archive: Buffer, chunkBytes = 100_000): Promise<void> {
  for (let at = 0; at < archive.length; at += chunkBytes) await reading.write(archive.subarray(at, at + chunkBytes));
}

describe("deploy R-SOURCE-4: hashing runs beside the stream", () => {
  it("deploy R-SOURCE-4: several archives at once, none mixed up with another", async () => {
    const names = ["a", "bb", "ccc", "dddd", "eeeee", "ffffff"];
    const listings = await Promise.all(
      names.map(async (name) => {
        const reading = threads.open(OPTIONS);
        await sent(reading, archiveOf(name, 700_000 + name.length), 1_000 * name.length);
        return await reading.finish();
      }),
    );
    expect(listings).toMatchObject(
      names.map((name) => ({
        manifests: [{ path: "convox.yml", text: name }],
        entries: [{ path: "convox.yml" }, { path: name, size: 700_000 + name.length }],
      })),
    );
    expect(new Set(listings.map((listing) => "sourceDigest" in listing && listing.sourceDigest)).size).toBe(
      names.length,
    );
  });

  it("deploy R-PERF-5: a sender that is faster than the thread waits", async () => {
    const reading = threads.open(OPTIONS);
    const archive = archiveOf("big", 4 * MEMORY);
    let taken = 0;
    const sending = (async () => {
      for (let at = 0; at < archive.length; at += SLOT_BYTES) {
        await reading.write(archive.subarray(at, at + SLOT_BYTES));
        taken += 1;
      }
    })();
    // Nothing has been heard from the thread before this turn of the loop is over.
    for (let turn = 0; turn < 10 * SLOTS; turn += 1) await Promise.resolve();
    expect(taken).toBe(SLOTS);
    await sending;
    expect(await reading.finish()).toMatchObject({ objectBytes: archive.length });
  });

  it("deploy R-PERF-4: the serving thread goes on serving, also while a long list is told", async () => {
    const files = Array.from({ length: 20_000 }, (_, at) => tarFile(`src/file-${at}.ts`, `export const x = ${at};\n`));
    const archive = tarGz([...files]);
    const warm = threads.open(OPTIONS);
    await sent(warm, tarGz([]));
    await warm.finish();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const reading = threads.open(OPTIONS);
    await sent(reading, archive);
    const listing = await reading.finish();
    delay.disable();
    expect("entries" in listing && listing.entries.length).toBe(20_000);
    // Nanoseconds. The bound of R-PERF-4 is 50 ms; the rest is for a machine that does other things as well.
    expect(delay.percentile(99)).toBeLessThan(250e6);
  });

  it("deploy R-MANIFEST-2: a fault is known before the end, and what comes after it is dropped", async () => {
    const reading = threads.open(OPTIONS);
    const rest = archiveOf("rest", 3 * MEMORY);
    await reading.write(Buffer.from("this is not gzip at all"));
    await sent(reading, rest);
    expect(reading.fault).toMatchObject({ code: "archive_form", why: "it is not gzip" });
    await sent(reading, rest);
    expect(await reading.finish()).toBe(reading.fault);
  });

  it("deploy R-MANIFEST-2: what is missing at the end is a fault", async () => {
    const reading = threads.open(OPTIONS);
    await sent(reading, archiveOf("a", 1_000).subarray(0, -9));
    expect(await reading.finish()).toMatchObject({ code: "archive_form", why: "it ends before its gzip member does" });
  });

  it("deploy R-SOURCE-4: an upload that was given up leaves the thread to the others", async () => {
    const given = threads.open(OPTIONS);
    await sent(given, archiveOf("given up", MEMORY).subarray(0, MEMORY / 2));
    given.abort();
    await sent(given, archiveOf("given up", 2 * MEMORY));
    await expect(given.finish()).rejects.toThrow("this is a bug");
    const other = threads.open(OPTIONS);
    await sent(other, archiveOf("other", MEMORY));
    expect(await other.finish()).toMatchObject({ manifests: [{ text: "other" }] });
  });

  it("deploy R-SOURCE-4: a thread that ends breaks its uploads off as a fault of ours, and the next one gets another", async () => {
    const reading = threads.open(OPTIONS);
    await sent(reading, archiveOf("a", 2 * MEMORY));
    const finished = reading.finish();
    const outcome = expect(finished).rejects.toMatchObject({ name: "Unavailable", code: "busy", retryable: true });
    await threads.close();
    await outcome;
    await expect(reading.write(TAR_END)).rejects.toMatchObject({ code: "busy" });
    const next = threads.open(OPTIONS);
    await sent(next, archiveOf("next", 1_000));
    expect(await next.finish()).toMatchObject({ manifests: [{ text: "next" }] });
  });
});
