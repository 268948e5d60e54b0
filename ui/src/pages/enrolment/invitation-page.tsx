import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Me } from "../../api/session.ts";
import { meQuery } from "../../api/session.ts";
import { acceptInvitation } from "../../api/sign-in.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { EntryFrame } from "../../shell/entry-frame.tsx";
import { EnrolmentFlow } from "./enrolment-flow.tsx";
import styles from "./enrolment.module.css";
import { LinkMissing } from "./link-missing.tsx";
import { Steps } from "./steps.tsx";
import { useLinkToken } from "./use-link-token.ts";

const firstStep = "You";

/** Accepting an invitation: what to be called, then a factor, then backup codes. */
export function InvitationPage(): ReactNode {
  const token = useLinkToken();
  const client = useQueryClient();
  const [me, setMe] = useState<Me | null>(null);
  const [name, setName] = useState("");
  const accepting = useMutation({
    mutationFn: () => acceptInvitation(token, name.trim() === "" ? {} : { name: name.trim() }),
    onSuccess: (accepted) => {
      client.clear();
      client.setQueryData(meQuery.queryKey, accepted);
      setMe(accepted);
    },
  });
  if (me !== null) return <EnrolmentFlow me={me} first={firstStep} />;
  if (token === "") {
    return (
      <EntryFrame title="Invitation">
        <LinkMissing />
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="You are invited" above={<Steps words={[firstStep, "Your key", "Backup codes"]} current={0} />}>
      <form
        className={styles.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!accepting.isPending) accepting.mutate();
        }}
      >
        <TextField
          label="Your name"
          value={name}
          autoComplete="name"
          maxLength={200}
          hint="Left empty, the name in the invitation stays."
          onChange={setName}
        />
        <RefusedNote failure={accepting.error} />
        <button
          type="submit"
          className={classNames(controls.button, controls.primary, styles.main)}
          aria-disabled={accepting.isPending}
        >
          {accepting.isPending ? "Accepting…" : "Accept the invitation"}
        </button>
      </form>
    </EntryFrame>
  );
}
