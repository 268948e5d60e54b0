import type { ReactNode } from "react";
import { useState } from "react";

import type { Factor } from "../../api/factors.ts";
import type { WholePerson } from "../../api/people.ts";
import { vouch } from "../../api/people.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import controls from "../../parts/controls.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";

interface VouchButtonProps {
  readonly person: WholePerson;
  readonly factor: Factor;
}

/** A second person says that the new factor is really theirs: the cool-down ends (identity R-FACT-9). */
export function VouchButton({ person, factor }: VouchButtonProps): ReactNode {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <button
        type="button"
        className={classNames(controls.button, controls.small)}
        onClick={() => {
          setAsking(true);
        }}
      >
        Vouch
      </button>
      {asking && (
        <ActSheet
          title="Vouch for a factor"
          verb="Vouch"
          reasoned
          done="The factor serves decisions from now on."
          act={({ reason }) => vouch(person.id, factor.id, reason)}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>
            You say that you know for certain that{" "}
            <strong>
              <OutsideText text={factor.name} />
            </strong>{" "}
            is in the hands of <OutsideText text={person.name ?? person.assignee} />: you saw it, or spoke with them. It
            serves decisions at once, and the ledger keeps that you said so.
          </p>
        </ActSheet>
      )}
    </>
  );
}
