import type { LucideIcon } from "lucide-react";
import {
  ArchiveIcon,
  BanIcon,
  CheckIcon,
  CircleDashedIcon,
  ClockAlertIcon,
  EraserIcon,
  HourglassIcon,
  LockIcon,
  MailIcon,
  PencilLineIcon,
  ReplaceIcon,
  RocketIcon,
  SkipForwardIcon,
  UndoIcon,
  XIcon,
} from "lucide-react";
import type { ReactNode } from "react";

import { classNames } from "../look/class-names.ts";
import styles from "./status-mark.module.css";

interface Mark {
  readonly word: string;
  readonly icon: LucideIcon;
  readonly tone: "approve" | "reject" | "wait" | "quiet";
}

/** R-CON-5: a word and an icon and a colour. What merely ended without a verdict is grey, never red. */
const marks: Readonly<Record<string, Mark>> = {
  pending: { word: "Finding approvers", icon: CircleDashedIcon, tone: "wait" },
  in_review: { word: "In review", icon: HourglassIcon, tone: "wait" },
  changes_requested: { word: "Changes requested", icon: UndoIcon, tone: "wait" },
  approved: { word: "Approved", icon: CheckIcon, tone: "approve" },
  rejected: { word: "Rejected", icon: XIcon, tone: "reject" },
  cancelled: { word: "Cancelled", icon: BanIcon, tone: "quiet" },
  expired: { word: "Expired", icon: ClockAlertIcon, tone: "quiet" },
  deploy_pending: { word: "Waiting for approval", icon: HourglassIcon, tone: "wait" },
  deployed: { word: "Deployed", icon: RocketIcon, tone: "approve" },
  superseded: { word: "Superseded", icon: ReplaceIcon, tone: "quiet" },
  open: { word: "Open", icon: HourglassIcon, tone: "wait" },
  waiting: { word: "Not started", icon: CircleDashedIcon, tone: "quiet" },
  resolving: { word: "Finding approvers", icon: CircleDashedIcon, tone: "wait" },
  skipped: { word: "Skipped", icon: SkipForwardIcon, tone: "quiet" },
  closed: { word: "Closed", icon: BanIcon, tone: "quiet" },
  draft: { word: "Draft", icon: PencilLineIcon, tone: "wait" },
  active: { word: "Active", icon: CheckIcon, tone: "approve" },
  archived: { word: "Archived", icon: ArchiveIcon, tone: "quiet" },
  person_active: { word: "Active", icon: CheckIcon, tone: "approve" },
  person_invited: { word: "Invited", icon: MailIcon, tone: "wait" },
  person_placeholder: { word: "Only named", icon: CircleDashedIcon, tone: "quiet" },
  person_locked: { word: "Locked", icon: LockIcon, tone: "reject" },
  person_suspended: { word: "Suspended", icon: BanIcon, tone: "quiet" },
  person_erased: { word: "Erased", icon: EraserIcon, tone: "quiet" },
  org_active: { word: "Active", icon: CheckIcon, tone: "approve" },
  org_suspended: { word: "Suspended", icon: BanIcon, tone: "reject" },
};

export function statusWord(status: string): string {
  return marks[status]?.word ?? status.replaceAll("_", " ");
}

export function StatusMark({ status }: { readonly status: string }): ReactNode {
  const mark = marks[status] ?? { word: statusWord(status), icon: CircleDashedIcon, tone: "quiet" };
  const Icon = mark.icon;
  return (
    <span className={classNames(styles.mark, styles[mark.tone])}>
      <Icon size={14} strokeWidth={2.25} aria-hidden="true" />
      {mark.word}
    </span>
  );
}
