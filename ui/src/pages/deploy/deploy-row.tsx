import { Link } from "@tanstack/react-router";
import { RocketIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { DeployApproval } from "../../api/deploy-approvals.ts";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { countedSignatures, SignatureLine } from "../../parts/signature-line.tsx";
import { StatusMark } from "../../parts/status-mark.tsx";
import { TimeLeft } from "../../parts/time-left.tsx";
import rows from "../inbox/rows.module.css";
import { askedWith, deployMark, deployTitle, endedAt, firstLine, openUntil } from "./deploy-words.ts";

/** R-UI-1: what goes where, why, who asks, how far it is and how long is left. */
export function DeployRow({ approval }: { readonly approval: DeployApproval }): ReactNode {
  const { approvals, created_at: from, git_branch: branch, status } = approval;
  const until = openUntil(approval);
  const end = endedAt(approval);
  return (
    <li>
      <Link
        to="/deploy/requests/$id"
        params={{ id: approval.public_id }}
        data-row=""
        data-request={approval.public_id}
        className={rows.row}
      >
        <RocketIcon size={18} strokeWidth={1.5} aria-hidden="true" className={rows.gate} />
        <span className={rows.what}>
          <span className={rows.title}>
            <OutsideText text={deployTitle(approval)} />
          </span>
          <span className={rows.about}>
            <span>
              <OutsideText text={askedWith(approval)} />
            </span>
            <Moment at={from} />
            {branch !== null && (
              <span>
                <OutsideText text={branch} />
              </span>
            )}
            <span className={rows.reason}>
              <OutsideText text={firstLine(approval.message)} />
            </span>
          </span>
        </span>
        <span className={rows.signatures}>
          <StatusMark status={deployMark(status)} />
          {status === "pending" && approvals !== null && (
            <SignatureLine signatures={countedSignatures(approvals.required, approvals.given)} />
          )}
        </span>
        <span className={rows.end}>
          {until === null ? (
            end !== null && (
              <span className={rows.quiet}>
                <Moment at={end} />
              </span>
            )
          ) : (
            <TimeLeft
              until={until}
              from={status === "approved" ? (approval.approved_at ?? from) : from}
              ended="expired"
            />
          )}
        </span>
      </Link>
    </li>
  );
}
