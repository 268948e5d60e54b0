import type { ReactNode } from "react";

import type { ApprovalRequest } from "../../api/requests.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { changedMembers } from "./changed-members.ts";
import styles from "./request-view.module.css";

interface StaleNoticeProps {
  readonly shown: ApprovalRequest;
  readonly current: ApprovalRequest;
  readonly onShow: () => void;
}

export function StaleNotice({ shown, current, onShow }: StaleNoticeProps): ReactNode {
  const changed = changedMembers(shown.context, current.context);
  return (
    <div className={styles.stale} role="alert">
      <div>
        <strong>This request changed while you were reading.</strong>{" "}
        {changed.length > 0 && (
          <>
            Changed: <OutsideText text={changed.join(", ")} />.
          </>
        )}
      </div>
      <button type="button" className={classNames(controls.button, controls.small)} onClick={onShow}>
        Show the new version
      </button>
    </div>
  );
}
