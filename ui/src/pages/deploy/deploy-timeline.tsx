import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { DeployApproval, DeployEffect, DeployLog } from "../../api/deploy-approvals.ts";
import { logDetails, retryEffect, useDeployLogs } from "../../api/deploy-approvals.ts";
import { may, meQuery } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Failed } from "../../parts/states.tsx";
import timeline from "../request/timeline.module.css";
import { effectState, effectWord, isStuck } from "./deploy-words.ts";
import { EntryProofSheet } from "./entry-proof-sheet.tsx";
import { entryWords } from "./entry-words.ts";

/** R-UI-3: every entry about this request in the order of the ledger, and what was told to other systems. */
export function DeployTimeline({ approval }: { readonly approval: DeployApproval }): ReactNode {
  const logs = useDeployLogs(approval.public_id);
  return (
    <section aria-labelledby="timeline-title">
      <h2 id="timeline-title" className={timeline.title}>
        Timeline
      </h2>
      {logs.isError && logs.data === undefined && <Failed what="The timeline" failure={logs.error} />}
      <ol>
        {logs.data?.logs
          .toSorted((one, other) => one.chain_index - other.chain_index)
          .map((log) => (
            <Entry key={log.chain_index} requestId={approval.public_id} log={log} />
          ))}
      </ol>
      {approval.effects.length > 0 && <Effects approval={approval} />}
    </section>
  );
}

function toneOf({ action, status }: DeployLog): "approve" | "reject" | undefined {
  if (status !== "success" || action.endsWith(".reject")) return "reject";
  return action.endsWith(".approve") || action.endsWith(".deploy") ? "approve" : undefined;
}

/** Words that follow the name of whoever did it. */
function isAct(words: string): boolean {
  return /^[a-z]/.test(words);
}

interface EntryProps {
  readonly requestId: string;
  readonly log: DeployLog;
}

function Entry({ requestId, log }: EntryProps): ReactNode {
  const [proving, setProving] = useState(false);
  const who = log.user_name ?? log.user_email ?? log.api_token_name;
  const verb = entryWords(log);
  const said = saidIn(log);
  const tone = toneOf(log);
  return (
    <li className={classNames(timeline.event, tone !== undefined && timeline[tone])}>
      <p>
        <OutsideText text={[who ?? (isAct(verb) ? "The gate" : ""), verb].join(" ").trim()} />
        {log.status !== "success" && ` (${log.status})`}
      </p>
      {said !== null && (
        <p className={timeline.quote}>
          <OutsideText text={said} />
        </p>
      )}
      <p className={timeline.when}>
        <Moment at={log.timestamp} reachable /> ·{" "}
        <button
          type="button"
          className={timeline.entry}
          title={log.event_hash}
          onClick={() => {
            setProving(true);
          }}
        >
          entry {log.chain_index.toLocaleString("en")}
        </button>
      </p>
      {proving && (
        <EntryProofSheet
          requestId={requestId}
          log={log}
          onClose={() => {
            setProving(false);
          }}
        />
      )}
    </li>
  );
}

const told = [
  "sentence",
  "reason",
  "notes",
  "comment",
  "message",
  "command",
  "release_id",
  "build_id",
  "code",
] as const;

function saidIn(log: DeployLog): string | null {
  const details = logDetails(log);
  const words = told.flatMap((name) => {
    const value = details[name];
    return typeof value === "string" && value !== "" ? [value] : [];
  });
  return words.length === 0 ? null : words.join("\n");
}

/** What was not needed is counted: there is nothing to do about it. */
function Effects({ approval }: { readonly approval: DeployApproval }): ReactNode {
  const spared = approval.effects.filter(({ state }) => state === "withdrawn").length;
  return (
    <section aria-labelledby="effects-title">
      <h3 id="effects-title" className={timeline.title}>
        Told to other systems
      </h3>
      <ul>
        {approval.effects.map((effect, position) =>
          effect.state === "withdrawn" ? null : (
            <Effect key={position} id={approval.public_id} effect={effect} position={position} />
          ),
        )}
      </ul>
      {spared > 0 && (
        <p className={timeline.when}>{spared === 1 ? "One call was" : `${String(spared)} calls were`} not needed.</p>
      )}
    </section>
  );
}

interface EffectProps {
  readonly id: string;
  readonly effect: DeployEffect;
  readonly position: number;
}

function Effect({ id, effect, position }: EffectProps): ReactNode {
  const client = useQueryClient();
  const me = useQuery(meQuery).data;
  const retries = me !== undefined && may(me, "gateway:deploy_approval_request:approve");
  const retrying = useMutation({
    mutationFn: () => retryEffect(id, position),
    onSuccess: () => client.invalidateQueries({ queryKey: ["request", id] }),
  });
  return (
    <li className={classNames(timeline.event, isStuck(effect.state) && timeline.reject)}>
      <p>
        {effectWord(effect.kind)}: {effectState(effect.state)}
        {effect.attempts > 1 && ` after ${String(effect.attempts)} tries`}
      </p>
      {effect.last_error !== null && (
        <p className={timeline.quote}>
          <OutsideText text={effect.last_error} />
        </p>
      )}
      {effect.next_at !== null && (
        <p className={timeline.when}>
          again <Moment at={effect.next_at} reachable />
        </p>
      )}
      {isStuck(effect.state) && retries && (
        <button
          type="button"
          className={classNames(controls.button, controls.small)}
          aria-disabled={retrying.isPending}
          onClick={() => {
            if (!retrying.isPending) retrying.mutate();
          }}
        >
          Try again
        </button>
      )}
      <RefusedNote failure={retrying.error} />
    </li>
  );
}
