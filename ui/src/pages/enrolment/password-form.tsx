import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import { setPassword } from "../../api/factors.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { TextField } from "../../parts/text-field.tsx";
import styles from "./enrolment.module.css";

const leastCharacters = 15;

interface PasswordFormProps {
  readonly verb: string;
  /** For the browser's password manager: whose password this is. */
  readonly userName: string;
  readonly onSet: () => void;
}

/** A new password, written once: it can be looked at instead of being written twice. */
export function PasswordForm({ verb, userName, onSet }: PasswordFormProps): ReactNode {
  const [password, change] = useState("");
  const [shown, setShown] = useState(false);
  const [asked, setAsked] = useState(false);
  const setting = useMutation({ mutationFn: () => setPassword(password), onSuccess: onSet });
  const length = charactersIn(password);
  const short = length < leastCharacters;
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setAsked(true);
        if (!short && !setting.isPending) setting.mutate();
      }}
    >
      <input type="text" autoComplete="username" value={userName} readOnly hidden />
      <TextField
        label="New password"
        type={shown ? "text" : "password"}
        value={password}
        autoComplete="new-password"
        maxLength={1024}
        hint={`At least ${String(leastCharacters)} characters. Any characters; several words are good. It never expires.`}
        fault={asked && short ? `This has ${String(length)} characters.` : null}
        onChange={change}
      />
      <label className={controls.check}>
        <input
          type="checkbox"
          checked={shown}
          onChange={(event) => {
            setShown(event.target.checked);
          }}
        />
        Show it
      </label>
      <RefusedNote failure={setting.error} />
      <button
        type="submit"
        className={classNames(controls.button, controls.primary, styles.main)}
        aria-disabled={setting.isPending}
      >
        {setting.isPending ? "Saving…" : verb}
      </button>
    </form>
  );
}

/** Code points, as the server counts them. */
function charactersIn(text: string): number {
  return Array.from(text).length;
}
