import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Machine, MachineDraft } from "../../api/machines.ts";
import { addMachine, changeMachine, machineKinds } from "../../api/machines.ts";
import type { Person } from "../../api/people.ts";
import { usePeople } from "../../api/people.ts";
import { may, meQuery, shownName } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import { Choice } from "../../parts/choice.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { visibleText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { machineKindWord } from "./machine-words.ts";

interface MachineSheetProps {
  /** Null adds one. */
  readonly machine: Machine | null;
  readonly onClose: () => void;
}

/** Somebody answers for every machine: owners, or a contact for a service account. */
export function MachineSheet({ machine, onClose }: MachineSheetProps): ReactNode {
  const client = useQueryClient();
  const [draft, setDraft] = useState<MachineDraft>(() => machine ?? blank);
  const [asked, setAsked] = useState(false);
  const saving = useMutation({
    mutationFn: () => save(machine, draft),
    onSuccess: async () => {
      announce("Saved.");
      await client.invalidateQueries({ queryKey: ["machines"] });
      onClose();
    },
  });
  const missing = draft.name.trim() === "" ? "Give it a name." : null;
  return (
    <Sheet title={machine === null ? "Add machine" : "Change machine"} onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (missing === null && !saving.isPending) saving.mutate();
        }}
      >
        <TextField
          label="Name"
          autoComplete="off"
          maxLength={100}
          value={draft.name}
          fault={asked ? missing : null}
          onChange={(name) => {
            setDraft({ ...draft, name });
          }}
        />
        {machine === null && (
          <Choice
            label="Kind"
            value={draft.kind}
            options={machineKinds.map((kind) => ({ value: kind, word: machineKindWord(kind) }))}
            onChange={(kind) => {
              setDraft({ ...draft, kind: kind ?? "ci" });
            }}
          />
        )}
        <People draft={draft} onChange={setDraft} />
        <RefusedNote failure={saving.error} />
        <div className={listing.buttons}>
          <button type="button" className={controls.button} onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className={classNames(controls.button, controls.primary)}
            aria-disabled={saving.isPending}
          >
            {machine === null ? "Add machine" : "Save"}
          </button>
        </div>
      </form>
    </Sheet>
  );
}

const blank: MachineDraft = { kind: "ci", name: "", owners: [], contact_id: null, acts_for_id: null };

/** A machine keeps its kind: what it is does not change. */
function save(machine: Machine | null, draft: MachineDraft): Promise<unknown> {
  const { owners, contact_id, acts_for_id } = draft;
  const change = { name: draft.name.trim(), owners, contact_id, acts_for_id };
  return machine === null ? addMachine({ ...change, kind: draft.kind }) : changeMachine(machine.id, change);
}

interface PeopleProps {
  readonly draft: MachineDraft;
  readonly onChange: (draft: MachineDraft) => void;
}

function People({ draft, onChange }: PeopleProps): ReactNode {
  const me = useQuery(meQuery).data;
  const listed = usePeople({ status: "active" }, me !== undefined && may(me, "org:user:read")).data?.items;
  const own = me?.person_id == null ? [] : [{ value: me.person_id, word: shownName(me) }];
  const options = listed?.map((person) => ({ value: person.id, word: wordOf(person) })) ?? own;
  return (
    <>
      <Choice
        label="Owner"
        none="nobody: a service account"
        value={draft.owners[0] ?? ""}
        options={options}
        onChange={(owner) => {
          onChange({ ...draft, owners: owner === null ? [] : [owner] });
        }}
      />
      {draft.owners.length === 0 && (
        <Choice
          label="Contact, who is told about it"
          none="choose somebody"
          value={draft.contact_id ?? ""}
          options={options}
          onChange={(contact) => {
            onChange({ ...draft, contact_id: contact });
          }}
        />
      )}
      {draft.kind === "agent" && (
        <Choice
          label="Acts for"
          none="whoever its credential names"
          value={draft.acts_for_id ?? ""}
          options={options}
          onChange={(person) => {
            onChange({ ...draft, acts_for_id: person });
          }}
        />
      )}
    </>
  );
}

function wordOf(person: Person): string {
  return visibleText(person.name === null ? person.assignee : `${person.name} (${person.assignee})`);
}
