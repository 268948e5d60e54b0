import type { ReactNode } from "react";
import { useState } from "react";

import type { WholePerson } from "../../api/people.ts";
import { changePerson } from "../../api/people.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import controls from "../../parts/controls.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";

/** Who gets in by passkey or password although the organization requires its identity provider (identity R-LOCAL-1). */
export function EmergencyButton({ person }: { readonly person: WholePerson }): ReactNode {
  const [asking, setAsking] = useState(false);
  const marked = person.break_glass;
  return (
    <>
      <button
        type="button"
        role="switch"
        aria-checked={marked}
        className={controls.button}
        onClick={() => {
          setAsking(true);
        }}
      >
        {marked ? "Emergency sign-in: on" : "Emergency sign-in: off"}
      </button>
      {asking && (
        <ActSheet
          title="Emergency sign-in"
          verb={marked ? "Switch off" : "Switch on"}
          destructive={marked}
          done={marked ? "Emergency sign-in is off." : "Emergency sign-in is on."}
          act={() => changePerson(person.id, { break_glass: !marked })}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>
            <strong>
              <OutsideText text={person.name ?? person.assignee} />
            </strong>{" "}
            {marked
              ? "can no longer sign in with a passkey or password where the organization requires its identity provider."
              : "can sign in with a passkey or password even where the organization requires its identity provider. Keep this for the day on which the provider fails."}
          </p>
        </ActSheet>
      )}
    </>
  );
}
