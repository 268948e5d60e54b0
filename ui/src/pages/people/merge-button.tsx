import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Person, WholePerson } from "../../api/people.ts";
import { mergePerson, usePeople } from "../../api/people.ts";
import type { Me } from "../../api/session.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import { Choice } from "../../parts/choice.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText, visibleText } from "../../parts/outside-text.tsx";
import { Failed } from "../../parts/states.tsx";
import { TextField } from "../../parts/text-field.tsx";

interface MergeButtonProps {
  readonly me: Me;
  readonly person: WholePerson;
}

export function MergeButton(props: MergeButtonProps): ReactNode {
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
        Merge
      </button>
      {asking && (
        <MergeSheet
          {...props}
          onClose={() => {
            setAsking(false);
          }}
        />
      )}
    </>
  );
}

interface MergeSheetProps extends MergeButtonProps {
  readonly onClose: () => void;
}

/** Two records of one person become one (identity R-ID-7). Afterwards the page is that of the one who goes on. */
function MergeSheet({ me, person, onClose }: MergeSheetProps): ReactNode {
  const navigate = useNavigate();
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const found = usePeople({ q: search.trim() });
  const others = (found.data?.items ?? []).filter(
    ({ id, status }) => id !== person.id && id !== me.person_id && status !== "erased" && status !== "suspended",
  );
  const into = others.find(({ id }) => id === chosen);
  const name = person.name ?? person.assignee;
  const merge = async (reason: string): Promise<void> => {
    if (into === undefined) throw new Error("Choose who goes on.");
    await mergePerson(person.id, into.id, reason);
    await navigate({ to: "/people/$id", params: { id: into.id } });
  };
  return (
    <ActSheet
      title={`Merge: ${visibleText(name)}`}
      verb="Merge"
      destructive
      reasoned
      confirmName={name}
      done="Merged."
      act={({ reason }) => merge(reason)}
      onClose={onClose}
    >
      <p>
        Both are one and the same person:{" "}
        <strong>
          <OutsideText text={name} />
        </strong>{" "}
        goes, and their identities, names, machines and open tasks go to the other. Roles do not. Where both decided on
        one open stage, it counts once. This cannot be undone.
      </p>
      <div className={listing.form}>
        <TextField
          label="Search for the one who goes on"
          autoComplete="off"
          maxLength={200}
          value={search}
          onChange={setSearch}
        />
        {found.isError && <Failed what="The people" failure={found.error} />}
        <Choice
          label="Goes on"
          value={into?.id ?? ""}
          none={others.length === 0 ? "nobody is found" : "choose somebody"}
          options={others.map((other) => ({ value: other.id, word: wordOf(other) }))}
          onChange={setChosen}
        />
      </div>
    </ActSheet>
  );
}

function wordOf({ name, assignee }: Person): string {
  return visibleText(name === null ? assignee : `${name} (${assignee})`);
}
