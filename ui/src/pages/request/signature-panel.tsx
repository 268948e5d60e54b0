import type { ReactNode } from "react";

import type { Decision } from "../../api/decisions.ts";
import type { Explain, ExplainedStage, Seat } from "../../api/explain.ts";
import { classNames } from "../../look/class-names.ts";
import { initialsOf } from "../../parts/initials.ts";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Loading } from "../../parts/states.tsx";
import { StatusMark } from "../../parts/status-mark.tsx";
import type { PersonNames } from "./person-names.ts";
import { nameOf } from "./person-names.ts";
import styles from "./signature-panel.module.css";
import { waitingSentence } from "./waiting-sentence.ts";

interface SignaturePanelProps {
  readonly explain: Explain | null;
  readonly decisions: readonly Decision[];
  readonly names: PersonNames;
  /** Words for reasons why somebody cannot sign, where the gate knows better ones. */
  readonly reasons?: Readonly<Record<string, string>>;
}

const noReasons: Readonly<Record<string, string>> = {};

/** R-PAGE-3: who signed, how and when, and who must still sign. Drawn as the foot of a contract. */
export function SignaturePanel({ explain, decisions, names, reasons = noReasons }: SignaturePanelProps): ReactNode {
  return (
    <section aria-labelledby="signatures-title">
      <h2 id="signatures-title" className={styles.title}>
        Signatures
      </h2>
      {explain === null ? (
        <Loading rows={2} label="signatures" />
      ) : (
        <ol className={styles.stages}>
          {explain.stages.map((stage) => (
            <Stage
              key={stage.stage_order}
              stage={stage}
              all={explain.stages}
              decisions={decisions}
              names={names}
              reasons={reasons}
            />
          ))}
        </ol>
      )}
    </section>
  );
}

interface StageProps {
  readonly stage: ExplainedStage;
  readonly all: readonly ExplainedStage[];
  readonly decisions: readonly Decision[];
  readonly names: PersonNames;
  readonly reasons: Readonly<Record<string, string>>;
}

function Stage({ stage, all, decisions, names, reasons }: StageProps): ReactNode {
  const decided = stage.seats.filter((seat) => ["approved", "rejected", "abstained"].includes(seat.state));
  const open = stage.state === "open" ? Math.max(0, (stage.needed ?? 0) - stage.approved) : 0;
  return (
    <li className={styles.stage}>
      <div className={styles.stageHead}>
        <h3 className={styles.stageName}>
          <OutsideText text={stage.name} />
        </h3>
        <StatusMark status={stage.state} />
      </div>
      <p className={styles.rule}>{ruleSentence(stage, all)}</p>
      <ul className={styles.lines}>
        {decided.map((seat) => (
          <SignedLine
            key={`${seat.assignee ?? ""}-${seat.state}`}
            seat={seat}
            decision={decisionOf(seat, stage, decisions)}
            names={names}
          />
        ))}
        {Array.from({ length: Math.min(open, 4) }, (_, index) => (
          <li key={index} className={styles.line}>
            <span className={styles.ink} />
            <span className={styles.under}>{index === 0 ? waitingSentence(stage, names) : "open"}</span>
          </li>
        ))}
      </ul>
      {open > 4 && <p className={styles.rule}>and {open - 4} more</p>}
      {stage.excluded.length > 0 && (
        <p className={styles.rule}>
          Cannot sign:{" "}
          <OutsideText
            text={stage.excluded
              .map(({ user, reason }) => `${nameOf(names, user)} (${reasons[reason] ?? exclusion(reason)})`)
              .join(", ")}
          />
        </p>
      )}
    </li>
  );
}

const exclusions: Readonly<Record<string, string>> = {
  requester: "asked for this",
  repeat_approver: "approved another stage",
  forbidden: "named in the request",
  machine: "a machine",
  disabled: "locked or no longer active",
};

function exclusion(reason: string): string {
  return exclusions[reason] ?? reason.replaceAll("_", " ");
}

function ruleSentence(stage: ExplainedStage, all: readonly ExplainedStage[]): string {
  if (stage.state === "skipped")
    return `Skipped${stage.skip_reason === null ? "" : `: ${skipWords(stage.skip_reason)}`}.`;
  if (stage.state === "waiting") {
    const before = all.filter((other) => other.stage_order < stage.stage_order).at(-1);
    return before === undefined ? "Not started yet." : `Starts after ${before.name}.`;
  }
  if (stage.needed === null) return "Nobody was asked.";
  const people = stage.seats.length;
  const signatures = stage.needed === 1 ? "One signature" : `${String(stage.needed)} signatures`;
  return people > stage.needed ? `${signatures} needed, ${String(people)} people may sign.` : `${signatures} needed.`;
}

function skipWords(reason: string): string {
  if (reason === "skip_if") return "its condition says it is not needed";
  if (reason === "no_approvers") return "nobody was eligible";
  return reason.replaceAll("_", " ");
}

function decisionOf(seat: Seat, stage: ExplainedStage, decisions: readonly Decision[]): Decision | null {
  return (
    decisions.find(
      (decision) =>
        decision.stage_order === stage.stage_order &&
        [decision.actor, decision.actor_id, decision.on_behalf_of].some(
          (who) => who !== null && (who === seat.assignee || who === seat.name),
        ),
    ) ?? null
  );
}

interface SignedLineProps {
  readonly seat: Seat;
  readonly decision: Decision | null;
  readonly names: PersonNames;
}

const verbs: Readonly<Record<string, { readonly glyph: string; readonly word: string }>> = {
  approved: { glyph: "✓", word: "approved" },
  rejected: { glyph: "✕", word: "rejected" },
  abstained: { glyph: "–", word: "abstained" },
};

function SignedLine({ seat, decision, names }: SignedLineProps): ReactNode {
  const holder = seat.name ?? seat.assignee ?? "unknown";
  const signer = decision?.override === true && decision.actor !== null ? nameOf(names, decision.actor) : holder;
  const verb = verbs[seat.state];
  return (
    <li className={classNames(styles.line, styles[seat.state], seat.delegated_from !== null && styles.delegated)}>
      <span className={styles.ink} aria-hidden="true">
        <i>{initialsOf(signer)}</i>
        <span>{verb?.glyph}</span>
      </span>
      <span className={styles.under}>
        <strong>
          <OutsideText text={signer} />
        </strong>{" "}
        {verb?.word}
        {seat.delegated_from !== null && (
          <>
            {" for "}
            <OutsideText text={nameOf(names, seat.delegated_from)} />
          </>
        )}
        {decision?.override === true && (
          <>
            {" in place of "}
            <OutsideText text={holder} />
          </>
        )}
        <SignedHow decision={decision} />
      </span>
    </li>
  );
}

function SignedHow({ decision }: { readonly decision: Decision | null }): ReactNode {
  if (decision === null) return null;
  return (
    <span className={styles.how}>
      <Moment at={decision.created_at} reachable />
      <span>{proofWords(decision)}</span>
    </span>
  );
}

const methodWords: Readonly<Record<string, string>> = {
  passkey: "passkey",
  totp: "authenticator",
  backup_code: "backup code",
};

/** How strongly: the signed-in session alone, a factor proven for it, or a signature. */
function proofWords({ assurance, method }: Decision): string {
  if (assurance === "signed") return "signed with a passkey";
  return methodWords[method ?? ""] ?? assurance ?? "session";
}
