import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { InboxItem } from "../../api/inbox.ts";
import { classNames } from "../../look/class-names.ts";
import { useWide } from "../../look/use-wide.ts";
import { GateIcon } from "../../parts/gate-icon.tsx";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { countedSignatures, SignatureLine } from "../../parts/signature-line.tsx";
import { StatusMark } from "../../parts/status-mark.tsx";
import { TimeLeft } from "../../parts/time-left.tsx";
import { RequestLink } from "../requests/request-link.tsx";
import type { InboxSearch } from "./inbox-search.ts";
import styles from "./rows.module.css";
import type { Selection } from "./use-selection.ts";

interface TaskRowProps {
  readonly item: InboxItem;
  readonly search: InboxSearch;
  /** Null where rows cannot be selected. */
  readonly selection: Selection | null;
}

export function TaskRow({ item, search, selection }: TaskRowProps): ReactNode {
  const open = item.status === "open" || item.status === "claimed";
  return (
    <li className={classNames(selection !== null && styles.selectable)}>
      {selection !== null && (
        <label className={styles.select}>
          <input
            type="checkbox"
            checked={selection.has(item.task_id)}
            aria-label={`Select ${item.title}`}
            onChange={(event) => {
              selection.set(item.task_id, event.target.checked);
            }}
          />
        </label>
      )}
      <RowLink item={item} search={search}>
        <GateIcon gate={item.gate} className={styles.gate} />
        <span className={styles.what}>
          <span className={styles.title}>
            <OutsideText text={item.title} />
          </span>
          <About item={item} />
        </span>
        <span className={styles.signatures}>
          <SignatureLine signatures={countedSignatures(item.needed, item.approved)} />
          <span className={styles.stage}>
            {item.approved} of {item.needed} · <OutsideText text={item.stage_name ?? "stage"} />
          </span>
        </span>
        <span className={styles.end}>{open ? <WhenOpen item={item} /> : <WhenDone item={item} />}</span>
      </RowLink>
    </li>
  );
}

interface RowLinkProps extends Omit<TaskRowProps, "selection"> {
  readonly children: ReactNode;
}

/** Opens beside the list where there is room and the gate has no page of its own, else as a page. */
function RowLink({ item, search, children }: RowLinkProps): ReactNode {
  const wide = useWide();
  const marks = {
    "data-row": "",
    "data-request": item.request_id,
    "data-task": item.task_id,
    className: classNames(styles.row, search.open === item.request_id && styles.opened),
  };
  if (!wide || item.gate !== "generic") {
    return (
      <RequestLink gate={item.gate} id={item.request_id} from="inbox" {...marks}>
        {children}
      </RequestLink>
    );
  }
  return (
    <Link
      to="/inbox"
      search={{ ...search, open: item.request_id, decide: undefined }}
      resetScroll={false}
      activeProps={{}}
      aria-current={search.open === item.request_id ? "true" : undefined}
      {...marks}
    >
      {children}
    </Link>
  );
}

function About({ item }: { readonly item: InboxItem }): ReactNode {
  return (
    <span className={styles.about}>
      <span>
        <OutsideText text={item.requester ?? "unknown"} />
      </span>
      <Moment at={item.created_at} />
      {item.delegated_from !== null && (
        <span>
          for <OutsideText text={item.delegated_from} />
        </span>
      )}
      {item.kind === "observer" && <span>you observe</span>}
      {item.reason !== null && item.reason !== "" && (
        <span className={styles.reason}>
          <OutsideText text={item.reason} />
        </span>
      )}
    </span>
  );
}

function WhenOpen({ item }: { readonly item: InboxItem }): ReactNode {
  const until = item.due_at ?? item.expires_at;
  if (until === null) return <span className={styles.quiet}>no time limit</span>;
  return <TimeLeft until={until} from={item.created_at} ended={item.due_at === null ? "expired" : "overdue"} />;
}

const decided: Readonly<Record<string, string>> = {
  approve: "You approved",
  reject: "You rejected",
  abstain: "You abstained",
};

function WhenDone({ item }: { readonly item: InboxItem }): ReactNode {
  return (
    <span className={styles.done}>
      <StatusMark status={item.request_status} />
      <span className={styles.stage}>{decided[item.decision_action ?? ""] ?? "Closed without you"}</span>
    </span>
  );
}

export function DepartedRow({ item, outcome }: { readonly item: InboxItem; readonly outcome: string }): ReactNode {
  return (
    <li className={styles.departed}>
      <span className={styles.title}>
        <OutsideText text={item.title} />
      </span>
      <span>
        <OutsideText text={outcome} />
      </span>
      <RequestLink gate={item.gate} id={item.request_id}>
        Show
      </RequestLink>
    </li>
  );
}
