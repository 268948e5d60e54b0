/** What became of processes and commands under an approval (docs/spec/deploy.md R-ALLOW-4, R-ALLOW-5, R-WS-6). */
import type { Application } from "../application.ts";
import { approvalCommand } from "./approval-change.ts";
import { callEntry, type CallAbout, type CallApproval } from "./call-entry.ts";

export interface ProcessAnswer {
  readonly approval: CallApproval;
  readonly about: CallAbout;
  /** Of the start among the approval's commands. */
  readonly index: number;
  readonly command: string;
  readonly status: number | null;
  /** Of the process; null where the rack started none. */
  readonly pid: string | null;
  readonly durationMs: number;
}

export function recordProcessStart(app: Application, answer: ProcessAnswer): Promise<null> {
  const { approval, about, index, pid, status, durationMs, command } = answer;
  return app.store.submit(
    approvalCommand({
      ...{ name: "record_process_start", approval, otherwise: null },
      change({ record }) {
        const more = { names: { ...about.names, ...(pid === null ? {} : { pid }) } };
        const kinds = pid === null ? (["call_ended"] as const) : (["call_ended", "process_started"] as const);
        const entries = kinds.map((kind) =>
          callEntry(app, kind, { ...about, ...more }, { status, durationMs, command }),
        );
        if (pid === null) return { record, entries, answer: null };
        const commands = record.commands.map((run, at) => (at === index ? { ...run, pid } : run));
        const processIds = record.processIds.includes(pid) ? record.processIds : [...record.processIds, pid];
        return { record: { ...record, commands, processIds }, entries, answer: null };
      },
    }),
  );
}
