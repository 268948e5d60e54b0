import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { WholePerson } from "../../api/people.ts";
import { setRoles } from "../../api/people.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { RoleChoice } from "./role-choice.tsx";

export function RolesButton({ person }: { readonly person: WholePerson }): ReactNode {
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
        Change roles
      </button>
      {asking && (
        <RolesSheet
          person={person}
          onClose={() => {
            setAsking(false);
          }}
        />
      )}
    </>
  );
}

interface RolesSheetProps {
  readonly person: WholePerson;
  readonly onClose: () => void;
}

/** Roles with another source stay as they are: only their source can take them away. */
function RolesSheet({ person, onClose }: RolesSheetProps): ReactNode {
  const client = useQueryClient();
  const held = person.roles.filter(({ source }) => changeable.includes(source)).map(({ role }) => role);
  const [roles, change] = useState<readonly string[]>([...new Set(held)]);
  const saving = useMutation({
    mutationFn: () => setRoles(person.id, roles),
    onSuccess: async () => {
      announce("The roles are changed.");
      await client.invalidateQueries({ queryKey: ["people"] });
      onClose();
    },
  });
  return (
    <Sheet title="Change roles" onClose={onClose}>
      <RoleChoice chosen={roles} onChange={change} />
      <p className={controls.hint}>
        Roles from an identity provider, the directory or the environment stay as they are.
      </p>
      <RefusedNote failure={saving.error} />
      <div className={listing.buttons}>
        <button type="button" className={controls.button} onClick={onClose}>
          Leave as they are
        </button>
        <button
          type="button"
          className={classNames(controls.button, controls.primary)}
          aria-disabled={saving.isPending}
          onClick={() => {
            if (!saving.isPending) saving.mutate();
          }}
        >
          Save roles
        </button>
      </div>
    </Sheet>
  );
}

const changeable: readonly string[] = ["admin", "setup", "invitation"];
