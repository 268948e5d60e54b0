import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { confirmSession, meQuery, shownName, signOut } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { EntryFrame } from "../../shell/entry-frame.tsx";
import styles from "../enrolment/enrolment.module.css";
import { useNext } from "./use-enter.ts";

/** Where everybody is led whom an identity provider let in with one factor: one of their own is asked for (identity R-IDP-9). */
export function ConfirmPage(): ReactNode {
  const client = useQueryClient();
  const navigate = useNavigate();
  const me = useQuery(meQuery).data;
  const next = useNext();
  const confirming = useMutation({
    mutationFn: confirmSession,
    onSuccess: async () => {
      client.clear();
      await navigate({ to: "/inbox", ...(next === undefined ? {} : { href: next }) });
    },
  });
  const leaving = useMutation({
    mutationFn: signOut,
    onSuccess: async () => {
      client.clear();
      await navigate({ to: "/sign-in" });
    },
  });
  if (me === undefined) return null;
  return (
    <EntryFrame title="One more factor">
      <div className={styles.form}>
        <p className={styles.sentence}>
          Your identity provider says that you are <OutsideText text={shownName(me)} />. Confirm it with a factor of
          yours here to go on.
        </p>
        <RefusedNote failure={confirming.error ?? leaving.error} />
        <button
          type="button"
          className={classNames(controls.button, controls.primary, styles.main)}
          aria-disabled={confirming.isPending}
          onClick={() => {
            if (!confirming.isPending) confirming.mutate();
          }}
        >
          {confirming.isPending ? "Waiting…" : "Confirm"}
        </button>
        <button
          type="button"
          className={classNames(controls.button, controls.quiet)}
          onClick={() => {
            if (!leaving.isPending) leaving.mutate();
          }}
        >
          Sign out
        </button>
      </div>
    </EntryFrame>
  );
}
