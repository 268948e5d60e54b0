import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { WholePerson } from "../../api/people.ts";
import { moveName } from "../../api/people.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { TextField } from "../../parts/text-field.tsx";

export function MoveNameButton({ person }: { readonly person: WholePerson }): ReactNode {
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
        Move a name here
      </button>
      {asking && (
        <MoveNameSheet
          person={person}
          onClose={() => {
            setAsking(false);
          }}
        />
      )}
    </>
  );
}

interface MoveNameSheetProps {
  readonly person: WholePerson;
  readonly onClose: () => void;
}

/** A name that somebody else goes by is this person's from now on; nothing that was given to anybody moves (identity R-ID-5). */
function MoveNameSheet({ person, onClose }: MoveNameSheetProps): ReactNode {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [asked, setAsked] = useState(false);
  const missing = name.trim() === "" ? "Write the name." : null;
  const moving = useMutation({
    mutationFn: () => moveName(person.id, name.trim()),
    onSuccess: async () => {
      announce("The name is moved.");
      await client.invalidateQueries({ queryKey: ["people"] });
      onClose();
    },
  });
  return (
    <Sheet title="Move a name here" onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (missing === null && !moving.isPending) moving.mutate();
        }}
      >
        <p>
          Policies and requests that use the name mean{" "}
          <strong>
            <OutsideText text={person.name ?? person.assignee} />
          </strong>{" "}
          from now on. Whoever has it now loses it and keeps their open tasks; it has to be proven again.
        </p>
        <TextField
          label="User name"
          autoComplete="off"
          maxLength={128}
          value={name}
          fault={asked ? missing : null}
          onChange={setName}
        />
        <RefusedNote failure={moving.error} />
        <div className={listing.buttons}>
          <button type="button" className={controls.button} onClick={onClose}>
            Leave as it is
          </button>
          <button
            type="submit"
            className={classNames(controls.button, controls.primary)}
            aria-disabled={moving.isPending}
          >
            Move the name
          </button>
        </div>
      </form>
    </Sheet>
  );
}
