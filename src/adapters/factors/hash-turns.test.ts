import { describe, expect, it } from "vitest";
import { HashTurns } from "./hash-turns.ts";

describe("turns at hashing", () => {
  it("identity R-LOCAL-2: two at once, 64 wait, the next is told that the server is busy", async () => {
    const turns = new HashTurns();
    const ends: (() => void)[] = [];
    let running = 0;
    let mostAtOnce = 0;
    const work = async (): Promise<void> => {
      running += 1;
      mostAtOnce = Math.max(mostAtOnce, running);
      await new Promise<void>((resolve) => {
        ends.push(resolve);
      });
      running -= 1;
    };
    const taken = Array.from({ length: 66 }, () => turns.take(work));
    await expect(turns.take(work)).rejects.toMatchObject({ code: "busy" });
    const all = Promise.all(taken);
    while (ends.length > 0) {
      ends.shift()?.();
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    await all;
    expect(mostAtOnce).toBe(2);
    expect(running).toBe(0);
  });

  it("a failed hash gives its turn back", async () => {
    const turns = new HashTurns();
    const failing = Array.from({ length: 5 }, () => turns.take(() => Promise.reject(new Error("no memory"))));
    const results = await Promise.allSettled(failing);
    expect(results.every((each) => each.status === "rejected")).toBe(true);
    expect(await turns.take(() => Promise.resolve("done"))).toBe("done");
  });
});
