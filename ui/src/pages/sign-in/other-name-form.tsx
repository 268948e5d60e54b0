import type { ReactNode, SyntheticEvent } from "react";
import { useState } from "react";

import type { SignIn } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import styles from "./sign-in-page.module.css";

interface OtherNameFormProps {
  readonly busy: boolean;
  readonly onSubmit: (person: SignIn) => void;
}

export function OtherNameForm({ busy, onSubmit }: OtherNameFormProps): ReactNode {
  const [name, setName] = useState("");
  const [admin, setAdmin] = useState(false);
  const [asked, setAsked] = useState(false);
  const missing = asked && name.trim() === "";
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    setAsked(true);
    const assignee = name.trim();
    if (assignee !== "") onSubmit({ assignee, roles: admin ? ["AWE_ADMIN"] : [] });
  };
  return (
    <form className={styles.form} onSubmit={submit} noValidate>
      <div className={controls.field}>
        <label className={controls.label} htmlFor="user-name">
          Another user name
        </label>
        <div className={styles.nameLine}>
          <input
            id="user-name"
            className={controls.input}
            value={name}
            maxLength={128}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            aria-invalid={missing}
            aria-describedby={missing ? "user-name-fault" : undefined}
            onChange={(event) => {
              setName(event.target.value);
            }}
          />
          <button type="submit" className={classNames(controls.button, controls.primary)} disabled={busy}>
            Sign in
          </button>
        </div>
        {missing && (
          <p id="user-name-fault" className={controls.fault} role="alert">
            Write a user name.
          </p>
        )}
      </div>
      <label className={controls.check}>
        <input
          type="checkbox"
          checked={admin}
          onChange={(event) => {
            setAdmin(event.target.checked);
          }}
        />
        With the administrator role
      </label>
    </form>
  );
}
