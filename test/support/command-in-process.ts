/** Commands of ours in the process of the test, as they run in their own: one of its own takes a second to start. */
import { Command, CommanderError } from "commander";
import { vi } from "vitest";

export interface CommandRun {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  /** Both, in their order. */
  readonly text: string;
}

export interface CommandCall {
  /** Adds the commands that are tried. */
  readonly add: (program: Command) => void;
  readonly env: Readonly<Record<string, string>>;
  /** The exit status of wrong usage, which programs tell by themselves. */
  readonly wrongUsage: number;
}

export async function commandInProcess(
  args: readonly string[],
  { add, env, wrongUsage }: CommandCall,
): Promise<CommandRun> {
  const printed = { out: "", err: "", text: "" };
  const hear = (stream: "out" | "err", text: string): void => {
    printed[stream] += text;
    printed.text += text;
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const spies = [
    vi.spyOn(console, "log").mockImplementation((text: unknown) => {
      hear("out", `${String(text)}\n`);
    }),
    vi.spyOn(console, "error").mockImplementation((text: unknown) => {
      hear("err", `${String(text)}\n`);
    }),
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      hear("err", String(text));
      return true;
    }),
  ];
  try {
    const program = new Command("program").exitOverride().enablePositionalOptions();
    program.configureOutput({
      writeErr: (text) => {
        hear("err", text);
      },
    });
    add(program);
    await program.parseAsync([...args], { from: "user" });
    return { status: Number(process.exitCode), ...printed };
  } catch (error) {
    if (error instanceof CommanderError) return { status: wrongUsage, ...printed };
    throw error;
  } finally {
    process.exitCode = 0;
    vi.unstubAllEnvs();
    for (const spy of spies) spy.mockRestore();
  }
}
