import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Me } from "../../api/session.ts";
import { meQuery } from "../../api/session.ts";
import { recover } from "../../api/sign-in.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { EntryFrame } from "../../shell/entry-frame.tsx";
import { EnrolmentFlow } from "./enrolment-flow.tsx";
import styles from "./enrolment.module.css";
import { LinkMissing } from "./link-missing.tsx";
import { Steps } from "./steps.tsx";
import { useLinkToken } from "./use-link-token.ts";

const firstStep = "Recovery";

/** Coming back after a lost factor. Using the link ends what could have been stolen, so it asks before it does. */
export function RecoverPage(): ReactNode {
  const token = useLinkToken();
  const client = useQueryClient();
  const [me, setMe] = useState<Me | null>(null);
  const recovering = useMutation({
    mutationFn: () => recover(token),
    onSuccess: (recovered) => {
      client.clear();
      client.setQueryData(meQuery.queryKey, recovered);
      setMe(recovered);
    },
  });
  if (me !== null) return <EnrolmentFlow me={me} first={firstStep} />;
  if (token === "") {
    return (
      <EntryFrame title="Recovery">
        <LinkMissing />
      </EntryFrame>
    );
  }
  return (
    <EntryFrame
      title="Recover your account"
      above={<Steps words={[firstStep, "Your key", "Backup codes"]} current={0} />}
    >
      <div className={styles.form}>
        <p>
          Everywhere you are signed in you will be signed out, browsers you trusted are forgotten, and your old backup
          codes stop working.
        </p>
        <p className={styles.sentence}>
          Then you set up a new passkey, or a password and an authenticator. For a while it signs you in but does not
          decide.
        </p>
        <RefusedNote failure={recovering.error} />
        <button
          type="button"
          className={classNames(controls.button, controls.primary, styles.main)}
          aria-disabled={recovering.isPending}
          onClick={() => {
            if (!recovering.isPending) recovering.mutate();
          }}
        >
          {recovering.isPending ? "Recovering…" : "Recover my account"}
        </button>
      </div>
    </EntryFrame>
  );
}
