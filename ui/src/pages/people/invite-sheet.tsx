import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import { invite } from "../../api/people.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { LinkShown } from "./link-shown.tsx";
import { RoleChoice } from "./role-choice.tsx";

/** An invitation is a link that works once; it is shown here and nowhere else. */
export function InviteSheet({ onClose }: { readonly onClose: () => void }): ReactNode {
  const client = useQueryClient();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [login, setLogin] = useState("");
  const [roles, setRoles] = useState<readonly string[]>(["viewer"]);
  const [asked, setAsked] = useState(false);
  const valid = /^\s*\S+@\S+\s*$/.test(email);
  const inviting = useMutation({
    mutationFn: () =>
      invite({
        email: email.trim(),
        ...(name.trim() === "" ? {} : { name: name.trim() }),
        ...(login.trim() === "" ? {} : { login: login.trim() }),
        roles,
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["people"] }),
  });
  if (inviting.data !== undefined) {
    return (
      <Sheet title="Invitation link" onClose={onClose}>
        <LinkShown link={inviting.data} who={email.trim()} what="invitation link" />
        <DoneButton onClose={onClose} />
      </Sheet>
    );
  }
  return (
    <Sheet title="Invite somebody" onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (valid && !inviting.isPending) inviting.mutate();
        }}
      >
        <TextField
          label="E-mail address"
          type="email"
          inputMode="email"
          autoComplete="off"
          maxLength={320}
          value={email}
          fault={asked && !valid ? "Write an e-mail address." : null}
          onChange={setEmail}
        />
        <div className={listing.two}>
          <TextField label="Name (optional)" autoComplete="off" maxLength={200} value={name} onChange={setName} />
          <TextField
            label="User name (optional)"
            autoComplete="off"
            maxLength={128}
            value={login}
            onChange={setLogin}
          />
        </div>
        <RoleChoice chosen={roles} onChange={setRoles} />
        <RefusedNote failure={inviting.error} />
        <div className={listing.buttons}>
          <button type="button" className={controls.button} onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className={classNames(controls.button, controls.primary)}
            aria-disabled={inviting.isPending}
          >
            Make the link
          </button>
        </div>
      </form>
    </Sheet>
  );
}

export function DoneButton({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <div className={listing.buttons}>
      <button type="button" className={classNames(controls.button, controls.primary)} onClick={onClose}>
        Done
      </button>
    </div>
  );
}
