import { useMutation, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useId, useState } from "react";

import { Refusal } from "../../api/call.ts";
import type { Enrolled } from "../../api/factors.ts";
import { beginAuthenticator, enrolAuthenticator } from "../../api/factors.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { CopyButton } from "../../parts/copy-button.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Loading } from "../../parts/states.tsx";
import { TextField } from "../../parts/text-field.tsx";
import styles from "./enrolment.module.css";

interface AuthenticatorFormProps {
  readonly onEnrolled: (enrolled: Enrolled) => Promise<void> | void;
}

/** The secret as a picture to scan and as text to type, and the first code that proves that it arrived. */
export function AuthenticatorForm({ onEnrolled }: AuthenticatorFormProps): ReactNode {
  const ceremonyId = useId();
  const [code, setCode] = useState("");
  const [asked, setAsked] = useState(false);
  // One secret for this form: it must stay the same while it is scanned.
  const secret = useQuery({
    queryKey: ["authenticator-secret", ceremonyId],
    queryFn: beginAuthenticator,
    staleTime: "static",
    gcTime: 0,
    retry: false,
  });
  const enrolling = useMutation({
    mutationFn: (ceremony: string) => enrolAuthenticator(ceremony, code.replaceAll(/\s/g, ""), "Authenticator"),
    onSuccess: onEnrolled,
    onError: (failure) => {
      if (failure instanceof Refusal) setCode("");
    },
  });
  if (secret.isError) return <RefusedNote failure={secret.error} />;
  if (secret.data === undefined) return <Loading rows={3} label="the secret" />;
  const { ceremony, secret: words, qr } = secret.data;
  const complete = /^\d{6}$/.test(code.replaceAll(/\s/g, ""));
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setAsked(true);
        if (complete && !enrolling.isPending) enrolling.mutate(ceremony);
      }}
    >
      <div className={styles.qr}>
        <img src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(qr)}`} alt="QR code of the secret" />
        <div className={styles.secret}>
          <p>Scan this with your authenticator app, or type the secret:</p>
          <code>{groupsOf(words)}</code>
          <CopyButton text={words} what="secret" labelled />
        </div>
      </div>
      <TextField
        label="Code that the app shows"
        value={code}
        mono
        autoComplete="one-time-code"
        inputMode="numeric"
        maxLength={16}
        fault={asked && !complete && enrolling.error === null ? "Write the six digits." : null}
        onChange={setCode}
      />
      <RefusedNote failure={enrolling.error} />
      <button
        type="submit"
        className={classNames(controls.button, controls.primary, styles.main)}
        aria-disabled={enrolling.isPending}
      >
        {enrolling.isPending ? "Checking…" : "Confirm the authenticator"}
      </button>
    </form>
  );
}

function groupsOf(secret: string): string {
  return secret.replaceAll(/(.{4})(?=.)/g, "$1 ");
}
