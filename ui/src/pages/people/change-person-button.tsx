import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { WholePerson } from "../../api/people.ts";
import { changePerson } from "../../api/people.ts";
import { meQuery } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { TextField } from "../../parts/text-field.tsx";

export function ChangePersonButton({ person }: { readonly person: WholePerson }): ReactNode {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <button
        type="button"
        className={controls.button}
        onClick={() => {
          setAsking(true);
        }}
      >
        Change name or address
      </button>
      {asking && (
        <ChangePersonSheet
          person={person}
          onClose={() => {
            setAsking(false);
          }}
        />
      )}
    </>
  );
}

interface ChangePersonSheetProps {
  readonly person: WholePerson;
  readonly onClose: () => void;
}

/** How somebody is called and written to. What decisions and policies compare is their id, which stays (identity R-ID-1). */
function ChangePersonSheet({ person, onClose }: ChangePersonSheetProps): ReactNode {
  const client = useQueryClient();
  const [name, setName] = useState(person.name ?? "");
  const [email, setEmail] = useState(person.email ?? "");
  const [asked, setAsked] = useState(false);
  const given = { name: changed(name, person.name), email: changed(email, person.email) };
  const faults = {
    name: given.name === "" ? "Write a name." : null,
    email: given.email === undefined || /^\S+@\S+$/.test(given.email) ? null : "Write an e-mail address.",
  };
  const saving = useMutation({
    mutationFn: () =>
      changePerson(person.id, {
        ...(given.name === undefined ? {} : { name: given.name }),
        ...(given.email === undefined ? {} : { email: given.email }),
      }),
    onSuccess: async () => {
      announce("Saved.");
      await client.invalidateQueries({ queryKey: ["people"] });
      await client.invalidateQueries({ queryKey: meQuery.queryKey, exact: true });
      onClose();
    },
  });
  return (
    <Sheet title="Change name or address" onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (faults.name !== null || faults.email !== null || saving.isPending) return;
          if (given.name === undefined && given.email === undefined) onClose();
          else saving.mutate();
        }}
      >
        <TextField
          label="Name"
          autoComplete="off"
          maxLength={255}
          value={name}
          fault={asked ? faults.name : null}
          onChange={setName}
        />
        <TextField
          label="E-mail address"
          type="email"
          inputMode="email"
          autoComplete="off"
          maxLength={320}
          value={email}
          fault={asked ? faults.email : null}
          onChange={setEmail}
        />
        <RefusedNote failure={saving.error} />
        <div className={listing.buttons}>
          <button type="button" className={controls.button} onClick={onClose}>
            Leave as they are
          </button>
          <button
            type="submit"
            className={classNames(controls.button, controls.primary)}
            aria-disabled={saving.isPending}
          >
            Save
          </button>
        </div>
      </form>
    </Sheet>
  );
}

/** Only what was changed is sent; what is not known and was not written stays unknown. */
function changed(typed: string, before: string | null): string | undefined {
  return typed.trim() === (before ?? "") ? undefined : typed.trim();
}
