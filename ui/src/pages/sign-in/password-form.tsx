import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import { Refusal } from "../../api/call.ts";
import { abandonPasskey } from "../../api/passkeys.ts";
import type { Me } from "../../api/session.ts";
import { signInWithPassword } from "../../api/sign-in.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { TextField } from "../../parts/text-field.tsx";
import styles from "./sign-in-page.module.css";

/** Password and second factor in one form; every field takes a paste, and passkeys are offered in the first one. */
export function PasswordForm({ onEntered }: { readonly onEntered: (me: Me) => Promise<void> }): ReactNode {
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [remember, setRemember] = useState(false);
  const [asked, setAsked] = useState(false);
  const entering = useMutation({
    mutationFn: () => {
      abandonPasskey();
      return signInWithPassword({
        login: login.trim(),
        password,
        ...(code.trim() === "" ? {} : { code: code.trim() }),
        ...(remember ? { remember_device: true } : {}),
      });
    },
    onSuccess: onEntered,
    onError: (failure) => {
      if (failure instanceof Refusal) setCode("");
    },
  });
  return (
    <form
      className={styles.password}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setAsked(true);
        if (login.trim() !== "" && password !== "" && !entering.isPending) entering.mutate();
      }}
    >
      <RefusedNote failure={entering.error} />
      <TextField
        label="User name"
        value={login}
        autoComplete="username webauthn"
        maxLength={320}
        fault={asked && login.trim() === "" ? "Write your user name." : null}
        onChange={setLogin}
      />
      <TextField
        label="Password"
        type="password"
        value={password}
        autoComplete="current-password"
        maxLength={1024}
        fault={asked && password === "" ? "Write your password." : null}
        onChange={setPassword}
      />
      <TextField
        label="Authenticator or backup code"
        value={code}
        mono
        autoComplete="one-time-code"
        maxLength={64}
        hint="Not needed in a browser that you trusted before."
        onChange={setCode}
      />
      <label className={controls.check}>
        <input
          type="checkbox"
          checked={remember}
          onChange={(event) => {
            setRemember(event.target.checked);
          }}
        />
        Trust this browser: ask for no code at sign-in here
      </label>
      <button type="submit" className={classNames(controls.button)} aria-disabled={entering.isPending}>
        {entering.isPending ? "Signing in…" : "Sign in with password"}
      </button>
    </form>
  );
}
