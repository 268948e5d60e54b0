import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headerOfText, textOfHeader } from "./header-text.ts";
import {
  checkDirectStart,
  checkProcessExec,
  checkProcessStart,
  commandsMax,
  isApprovedProcess,
  type ProcessRules,
} from "./process-options.ts";
import { optionHeaders, type OptionHeader } from "./rack-headers.ts";

const rules: ProcessRules = {
  releaseId: "RABCDEFGHI",
  approvedCommands: ["rake db:migrate", " ./bin/änderung "],
  commandCount: 0,
};

type Options = Partial<Record<OptionHeader, string>>;

function optionsOf(options: Options): ReadonlyMap<OptionHeader, string> {
  return new Map(
    optionHeaders.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]] as const])),
  );
}

function start(options: Options, changed: Partial<ProcessRules> = {}): string {
  const verdict = checkProcessStart(optionsOf({ Release: "RABCDEFGHI", ...options }), { ...rules, ...changed });
  return isApprovedProcess(verdict) ? verdict.command : `${verdict.code}: ${verdict.message}`;
}

function exec(options: Options, changed: Partial<ProcessRules> = {}): string {
  const verdict = checkProcessExec(optionsOf(options), { ...rules, ...changed });
  return isApprovedProcess(verdict) ? verdict.command : `${verdict.code}: ${verdict.message}`;
}

const RUN = "You don't have permission to run processes.";

describe("commands under approval", () => {
  it.each(["sleep 1", "sleep 3600", "sleep 7999", "sleep 86399", "sleep 86400", "sleep 79999", "sleep 85999"])(
    "deploy R-ALLOW-2: %j may be started",
    (command) => {
      expect(start({ Command: command })).toBe(command);
    },
  );

  it.each([
    ...["sleep 0", "sleep 86401", "sleep 90000", "sleep 99999", "sleep 100000", "sleep 01", "sleep -1", "sleep 1;id"],
    ...["sleep  1", "sleep 1 ", "sleep", "Sleep 1", "sleep 1\t", "sleep 1m", "/bin/sleep 1"].filter(
      (text) => text.trim() === text,
    ),
    ...["rake db:migrate;id", "rake  db:migrate", "rake", "Rake db:migrate", "rake db:migrate #", "sh"],
  ])("deploy R-ALLOW-2: %j may not", (command) => {
    expect(start({ Command: command })).toBe(`command_not_approved: command not approved: ${command}`);
  });

  it("deploy R-ALLOW-2: every N from 1 to 86,400 and no other", () => {
    fc.assert(
      fc.property(fc.nat(200_000), (seconds) => {
        const command = `sleep ${seconds}`;
        expect(start({ Command: command }) === command).toBe(seconds >= 1 && seconds <= 86_400);
      }),
    );
  });

  it("deploy R-ALLOW-2: a process without a command is not approved", () => {
    expect(start({})).toBe("command_not_approved: command not approved: (none)");
    expect(start({ Command: "  " })).toBe("command_not_approved: command not approved: (none)");
  });

  it("deploy R-ALLOW-2: the second line lists what is approved", () => {
    const verdict = checkProcessStart(optionsOf({ Release: "RABCDEFGHI", Command: "id" }), rules);
    expect(isApprovedProcess(verdict) ? [] : verdict.hint).toEqual([expect.stringContaining("rake db:migrate")]);
  });

  it.each([
    [{ Release: "RZZZZZZZZZ" }, rules.releaseId],
    [{ Release: "" }, rules.releaseId],
    [{ Release: "RABCDEFGHI " }, rules.releaseId],
    [{ Release: "RABCDEFGHI" }, null],
  ] as const)("deploy R-ALLOW-2: with %j it runs nothing when the release is %s", (options, releaseId) => {
    expect(start({ ...options, Command: "sleep 60" }, { releaseId })).toBe(`command_not_approved: ${RUN}`);
  });

  it("deploy R-ALLOW-2: without a release header it runs nothing, and says which to name", () => {
    const verdict = checkProcessStart(optionsOf({ Command: "sleep 60" }), rules);
    expect(verdict).toMatchObject({ code: "command_not_approved", message: RUN });
    expect(isApprovedProcess(verdict) ? [] : verdict.hint).toEqual(["Name the approved release: --release RABCDEFGHI"]);
  });

  it("deploy R-ALLOW-1: nothing is approved by an empty list, and a blank entry approves nothing", () => {
    expect(exec({ Command: "rake db:migrate" }, { approvedCommands: [] })).toBe(`command_not_approved: ${RUN}`);
    expect(exec({ Command: " " }, { approvedCommands: [" ", ""] })).toBe(`command_not_approved: ${RUN}`);
    expect(exec({}, { approvedCommands: [""] })).toBe(`command_not_approved: ${RUN}`);
    expect(start({ Command: "x" }, { approvedCommands: [] })).toBe("command_not_approved: command not approved: x");
  });

  it("deploy R-ALLOW-1: the comparison is exact on the trimmed bytes, and what goes on is the approved text", () => {
    expect(exec({ Command: "  rake db:migrate\t" })).toBe("rake db:migrate");
    const verdict = checkProcessExec(optionsOf({ Command: ` ${headerOfText("./bin/änderung")}`, Tty: "false" }), rules);
    expect(verdict).toEqual({
      command: "./bin/änderung",
      options: [
        ["Command", Buffer.from("./bin/änderung").toString("latin1")],
        ["Tty", "false"],
      ],
    });
    // The same letter in two code points is another command, and so are bytes that are no text.
    expect(exec({ Command: headerOfText("./bin/a\u0308nderung") })).toBe(`command_not_approved: ${RUN}`);
    expect(exec({ Command: "./bin/\u00e4nderung" })).toBe(`command_not_approved: ${RUN}`);
  });

  it("deploy R-ALLOW-1: of all commands only the listed ones run", () => {
    const piece = fc.constantFrom("rake", " ", "db:migrate", ";", "id", "&&", "\t", "|", "$(id)");
    fc.assert(
      fc.property(fc.array(piece), (parts) => {
        const command = parts.join("");
        expect(exec({ Command: command }) === "rake db:migrate").toBe(command.trim() === "rake db:migrate");
      }),
    );
  });

  it("deploy R-ALLOW-4: sleeping is for starts, not for execs", () => {
    expect(exec({ Command: "sleep 60" })).toBe(`command_not_approved: ${RUN}`);
  });

  it("deploy R-ALLOW-4: starts and execs together are fifty at most", () => {
    const last = { commandCount: commandsMax - 1 };
    const full = { commandCount: commandsMax };
    expect(commandsMax).toBe(50);
    expect(start({ Command: "sleep 1" }, last)).toBe("sleep 1");
    expect(start({ Command: "sleep 1" }, full)).toBe(`command_not_approved: ${RUN}`);
    expect(exec({ Command: "rake db:migrate" }, last)).toBe("rake db:migrate");
    expect(exec({ Command: "rake db:migrate" }, full)).toBe(`command_not_approved: ${RUN}`);
  });
});

describe("options of processes under approval", () => {
  const started = ["Command", "Release", "Cpu", "Cpu-Limit", "Memory", "Memory-Limit", "Height", "Width"];
  const run = ["Command", "Entrypoint", "Height", "Width", "Tty", "Disable-Stdin"];

  it.each(optionHeaders.filter((name) => name !== "Command" && name !== "Release"))("deploy R-ALLOW-3: %s", (name) => {
    const value = ["Entrypoint", "Tty", "Disable-Stdin"].includes(name) ? "true" : "1";
    const refused = `process_option: process option '${name}' is not allowed with a deploy approval`;
    expect(start({ Command: "sleep 1", [name]: value })).toBe(started.includes(name) ? "sleep 1" : refused);
    expect(exec({ Command: "rake db:migrate", [name]: value })).toBe(run.includes(name) ? "rake db:migrate" : refused);
  });

  it("deploy R-ALLOW-3: a refused option is refused whatever its value", () => {
    expect(start({ Command: "sleep 1", Privileged: "false" })).toMatch(/^process_option: /);
    expect(start({ Command: "sleep 1", Image: "" })).toMatch(/^process_option: /);
  });

  it("deploy R-ALLOW-4: an exec names no release", () => {
    expect(exec({ Command: "rake db:migrate", Release: "RABCDEFGHI" })).toMatch(/^process_option: /);
  });

  it.each(["", "-1", "1.5", "1e3", "0x10", "1234567890", "1 "])("deploy R-ALLOW-3: %j is no amount", (value) => {
    expect(start({ Command: "sleep 1", Memory: value })).toMatch(/^process_option: /);
  });

  it("deploy R-ALLOW-3: a flag is true or false", () => {
    expect(exec({ Command: "rake db:migrate", Entrypoint: "1" })).toMatch(/^process_option: /);
  });

  it("deploy R-ALLOW-3: accepted options go on as they came", () => {
    const verdict = checkProcessStart(optionsOf({ Command: "sleep 1", Release: "RABCDEFGHI", Cpu: "250" }), rules);
    expect(verdict).toEqual({
      command: "sleep 1",
      options: [
        ["Command", "sleep 1"],
        ["Cpu", "250"],
        ["Release", "RABCDEFGHI"],
      ],
    });
  });
});

describe("processes by direct permission", () => {
  it("deploy R-ALLOW-6: an environment needs the permission to set one, and is refused, not dropped", () => {
    const options = optionsOf({ Command: "anything", Environment: "A=1", Image: "x", Privileged: "true" });
    expect(checkDirectStart(options, ["convox:process:start"])).toMatchObject({
      code: "environment_not_allowed",
      status: 403,
    });
    expect(checkDirectStart(options, ["convox:env:set"])).toBeNull();
    expect(checkDirectStart(optionsOf({ Command: "anything", Volumes: "a" }), [])).toBeNull();
  });
});

describe("text in headers", () => {
  it("deploy R-ALLOW-1: every text goes through a header and back, byte for byte as UTF-8", () => {
    const text = fc
      .array(fc.nat(0x10_ffff))
      .map((points) => String.fromCodePoint(...points).replaceAll(/\p{Cs}/gu, ""));
    fc.assert(
      fc.property(text, (value) => {
        expect(headerOfText(value)).toBe(Buffer.from(value).toString("latin1"));
        expect(textOfHeader(headerOfText(value))).toBe(value);
      }),
    );
    expect(textOfHeader("\u00ff")).toBeNull();
    expect(textOfHeader("\u00c0\u00af")).toBeNull();
  });
});
