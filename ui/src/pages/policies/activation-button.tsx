import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Policy } from "../../api/policies.ts";
import { setPolicyActive } from "../../api/policies.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { RefusalText } from "../../parts/states.tsx";
import styles from "./policy-version-page.module.css";

/** R-POL-1: activation says what it will do before it does it; R-CON-9: the page waits for the commit. */
export function ActivationButton({ policy }: { readonly policy: Policy }): ReactNode {
  const [asking, setAsking] = useState(false);
  const active = policy.status === "active";
  return (
    <>
      <button
        type="button"
        className={classNames(controls.button, !active && controls.primary)}
        onClick={() => {
          setAsking(true);
        }}
      >
        {active ? "Deactivate" : "Activate"}
      </button>
      {asking && (
        <ActivationSheet
          policy={policy}
          onClose={() => {
            setAsking(false);
          }}
        />
      )}
    </>
  );
}

function ActivationSheet({ policy, onClose }: { readonly policy: Policy; readonly onClose: () => void }): ReactNode {
  const client = useQueryClient();
  // As it was when the question was asked: the answer changes it before the sheet is closed.
  const [active] = useState(policy.status === "active");
  const verb = active ? "Deactivate" : "Activate";
  const change = useMutation({
    mutationFn: () => setPolicyActive(policy.policy_key, policy.version, !active),
    onSuccess: async () => {
      announce(active ? "Deactivated." : "Activated.");
      await client.invalidateQueries();
      onClose();
    },
  });
  return (
    <Sheet title={`${verb} v${String(policy.version)}`} onClose={onClose}>
      <p>
        <strong>
          <OutsideText text={policy.policy_key} />
        </strong>
        {active
          ? " is left without an active version: new requests under it are refused. Requests already made go on with the version they pinned."
          : " decides from now on under this version; one that is active now is archived. Requests already made go on with the version they pinned."}
      </p>
      {change.error !== null && (
        <div className={styles.refused} role="alert">
          <RefusalText failure={change.error} />
        </div>
      )}
      <div className={styles.sheetButtons}>
        <button type="button" className={controls.button} onClick={onClose}>
          Leave as it is
        </button>
        <button
          type="button"
          className={classNames(controls.button, active ? controls.refuse : controls.primary)}
          disabled={change.isPending}
          onClick={() => {
            change.mutate();
          }}
        >
          {verb} v{policy.version}
        </button>
      </div>
    </Sheet>
  );
}
