import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { ApprovalRequest } from "../../api/requests.ts";
import { classNames } from "../../look/class-names.ts";
import { useWide } from "../../look/use-wide.ts";
import { GateIcon } from "../../parts/gate-icon.tsx";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { StatusMark } from "../../parts/status-mark.tsx";
import { TimeLeft } from "../../parts/time-left.tsx";
import type { InboxSearch } from "../inbox/inbox-search.ts";
import styles from "../inbox/rows.module.css";
import { RequestLink } from "./request-link.tsx";
import { isLive, statedReason, titleOf } from "./request-words.ts";

interface RequestRowProps {
  readonly request: ApprovalRequest;
  /** In the inbox the request opens beside the list where there is room. */
  readonly inbox?: InboxSearch;
}

export function RequestRow({ request, inbox }: RequestRowProps): ReactNode {
  const wide = useWide();
  const marks = {
    "data-row": "",
    "data-request": request.id,
    className: classNames(styles.row, inbox?.open === request.id && styles.opened),
  };
  const content = <RowContent request={request} />;
  return (
    <li>
      {wide && inbox !== undefined && request.gate === "generic" ? (
        <Link to="/inbox" search={{ ...inbox, open: request.id, decide: undefined }} activeProps={{}} {...marks}>
          {content}
        </Link>
      ) : (
        <RequestLink
          gate={request.gate}
          id={request.id}
          {...(inbox === undefined ? {} : { from: "inbox" as const })}
          {...marks}
        >
          {content}
        </RequestLink>
      )}
    </li>
  );
}

function RowContent({ request }: { readonly request: ApprovalRequest }): ReactNode {
  const reason = statedReason(request.context);
  return (
    <>
      <GateIcon gate={request.gate} className={styles.gate} />
      <span className={styles.what}>
        <span className={styles.title}>
          <OutsideText text={titleOf(request)} />
        </span>
        <span className={styles.about}>
          <span>
            <OutsideText text={request.requester ?? "unknown"} />
          </span>
          <Moment at={request.created_at} />
          <span>
            <OutsideText text={request.policy_key} />
          </span>
          {reason !== null && (
            <span className={styles.reason}>
              <OutsideText text={reason.text} />
            </span>
          )}
        </span>
      </span>
      <span className={styles.signatures}>
        <StatusMark status={request.status} />
      </span>
      <span className={styles.end}>
        <RowEnd request={request} />
      </span>
    </>
  );
}

function RowEnd({ request }: { readonly request: ApprovalRequest }): ReactNode {
  if (isLive(request.status)) {
    return request.expires_at === null ? null : (
      <TimeLeft until={request.expires_at} from={request.created_at} ended="expired" />
    );
  }
  return request.completed_at === null ? null : (
    <span className={styles.quiet}>
      <Moment at={request.completed_at} />
    </span>
  );
}
