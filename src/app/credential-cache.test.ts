import { describe, expect, it } from "vitest";
import { createCredentialCache } from "./credential-cache.ts";

class Place {
  now = 1_000;
  loads = 0;
  readonly cache = createCredentialCache<string>(() => this.now);

  /** An empty text stands for what is not there. */
  look(key: string, found = "there"): Promise<string | undefined> {
    return this.cache.get(key, () => {
      this.loads += 1;
      return Promise.resolve(found === "" ? undefined : found);
    });
  }
}

describe("what is remembered about a credential", () => {
  it("identity R-TOK-9: is looked up once in five seconds, and then again", async () => {
    const place = new Place();
    await Promise.all([place.look("a"), place.look("a")]);
    place.now += 4_999;
    await place.look("a");
    expect(place.loads).toBe(1);
    place.now += 1;
    await place.look("a");
    expect(place.loads).toBe(2);
  });

  it("identity R-TOK-9: is forgotten when the clock goes backwards", async () => {
    const place = new Place();
    await place.look("a");
    place.now -= 60_000;
    await place.look("a");
    expect(place.loads).toBe(2);
  });

  it("identity R-TOK-9: is forgotten at once when access changes, also while it is being loaded", async () => {
    const place = new Place();
    let answer: (value: string) => void = () => undefined;
    const slow = place.cache.get(
      "a",
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    place.cache.drop();
    answer("before the change");
    expect(await slow).toBe("before the change");
    expect(await place.look("a", "after the change")).toBe("after the change");
  });

  it("does not remember what is not there", async () => {
    const place = new Place();
    expect(await place.look("a", "")).toBeUndefined();
    expect(await place.look("a", "made meanwhile")).toBe("made meanwhile");
  });

  it("does not remember a failure", async () => {
    const place = new Place();
    await expect(place.cache.get("a", () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    expect(await place.look("a")).toBe("there");
  });

  it("keeps at most 10,000, the newest", async () => {
    const place = new Place();
    for (let index = 0; index <= 10_000; index += 1) await place.look(String(index));
    await place.look("10000");
    expect(place.loads).toBe(10_001);
    await place.look("0");
    expect(place.loads).toBe(10_002);
  });
});
