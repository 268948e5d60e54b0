import { describe, expect, it } from "vitest";
import { parameterDifferences, parameterLine, readRackParameters } from "./rack-parameters.ts";

const RULES = { secretNames: ["PAGER"], protectedNames: [] };

describe("parameters of a rack", () => {
  it("deploy R-RACK-5: the difference names what changed; secrets are masked on both sides", () => {
    const before = new Map([
      ["node_type", "small"],
      ["docker_hub_password", "old"],
      ["same", "1"],
      ["gone", "1"],
    ]);
    const after = new Map([
      ...([
        ["node_type", "large"],
        ["docker_hub_password", "new"],
        ["same", "1"],
      ] as const),
      ...([
        ["PAGER", "123"],
        ["syslog", "tcp://user:pass@log.example:514"],
      ] as const),
    ]);
    const differences = parameterDifferences(before, after, RULES);
    expect(differences.map(parameterLine)).toEqual([
      "PAGER: not set to '********************'",
      "docker_hub_password: '********************' to '********************'",
      "gone: '1' to not set",
      "node_type: 'small' to 'large'",
      "syslog: not set to '********************'",
    ]);
  });

  it("deploy R-RACK-5: an answer without parameters tells nothing", () => {
    expect(readRackParameters({ parameters: { a: "1", count: 3 } })).toEqual(
      new Map([
        ["a", "1"],
        ["count", "3"],
      ]),
    );
    for (const system of [{}, { parameters: "x" }, [], null, undefined]) expect(readRackParameters(system)).toBeNull();
  });
});
