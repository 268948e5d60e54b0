import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import { newIdempotencyKey } from "../../api/idempotency-key.ts";
import type { ApprovalRequest } from "../../api/requests.ts";
import { cancelRequest } from "../../api/requests.ts";
import type { Me } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { RefusalText } from "../../parts/states.tsx";
import { titleOf } from "../requests/request-words.ts";
import styles from "./decision-bar.module.css";

interface CancelButtonProps {
  readonly me: Me;
  readonly request: ApprovalRequest;
}

export function CancelButton({ me, request }: CancelButtonProps): ReactNode {
  const [asking, setAsking] = useState(false);
  const verb = me.assignee === request.requester ? "Withdraw" : "Cancel";
  return (
    <>
      <button
        type="button"
        className={classNames(controls.button, controls.small, controls.quiet)}
        onClick={() => {
          setAsking(true);
        }}
      >
        {verb} request
      </button>
      {asking && (
        <CancelSheet
          verb={verb}
          request={request}
          onClose={() => {
            setAsking(false);
          }}
        />
      )}
    </>
  );
}

interface CancelSheetProps {
  readonly verb: string;
  readonly request: ApprovalRequest;
  readonly onClose: () => void;
}

function CancelSheet({ verb, request, onClose }: CancelSheetProps): ReactNode {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const [asked, setAsked] = useState(false);
  const [idempotencyKey] = useState(newIdempotencyKey);
  const missing = asked && reason.trim() === "";
  const cancel = useMutation({
    mutationFn: () => cancelRequest(request.id, reason.trim(), idempotencyKey),
    onSuccess: async () => {
      announce("The request is cancelled.");
      await client.invalidateQueries();
      onClose();
    },
  });
  return (
    <Sheet title={`${verb} request`} onClose={onClose}>
      <p>
        <strong>
          <OutsideText text={titleOf(request)} />
        </strong>{" "}
        ends as cancelled. Nobody can sign it any more, and this cannot be undone.
      </p>
      <div className={controls.field}>
        <label className={controls.label} htmlFor="cancel-reason">
          Reason
        </label>
        <textarea
          id="cancel-reason"
          rows={3}
          maxLength={1024}
          className={controls.input}
          value={reason}
          aria-invalid={missing}
          aria-describedby={missing ? "cancel-fault" : undefined}
          onChange={(event) => {
            setReason(event.target.value);
          }}
        />
        {missing && (
          <p id="cancel-fault" className={controls.fault} role="alert">
            Say why; it is kept in the ledger.
          </p>
        )}
      </div>
      {cancel.error !== null && (
        <div className={styles.refused} role="alert">
          <RefusalText failure={cancel.error} />
        </div>
      )}
      <div className={styles.sheetButtons}>
        <button type="button" className={controls.button} onClick={onClose}>
          Keep it
        </button>
        <button
          type="button"
          className={classNames(controls.button, controls.refuse)}
          disabled={cancel.isPending}
          onClick={() => {
            setAsked(true);
            if (reason.trim() !== "") cancel.mutate();
          }}
        >
          {verb} request
        </button>
      </div>
    </Sheet>
  );
}
