import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { StatusAct, WholePerson } from "../../api/people.ts";
import { changeStatus, endSessionsOf, erasePerson, recoveryLink } from "../../api/people.ts";
import type { Me } from "../../api/session.ts";
import { may } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import type { ActGiven } from "../../parts/act-sheet.tsx";
import { ActSheet } from "../../parts/act-sheet.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { ChangePersonButton } from "./change-person-button.tsx";
import { EmergencyButton } from "./emergency-button.tsx";
import { DoneButton } from "./invite-sheet.tsx";
import { LinkShown } from "./link-shown.tsx";
import { MergeButton } from "./merge-button.tsx";
import styles from "./people.module.css";

interface PersonActsProps {
  readonly me: Me;
  readonly person: WholePerson;
}

type Act = StatusAct | "erase" | "end-sessions" | "recovery";

interface ActWords {
  readonly word: string;
  readonly follows: string;
  readonly done: string;
  readonly destructive: boolean;
}

const words: Readonly<Record<Exclude<Act, "recovery">, ActWords>> = {
  lock: {
    word: "Lock",
    follows:
      "is signed out everywhere and cannot sign in. Their machines are refused. Their open tasks stay with them.",
    done: "Locked.",
    destructive: true,
  },
  unlock: { word: "Unlock", follows: "can sign in and decide again.", done: "Unlocked.", destructive: false },
  suspend: {
    word: "Suspend",
    follows:
      "is signed out everywhere and cannot sign in. Their machines are refused, and their seats are free for others to take.",
    done: "Suspended.",
    destructive: true,
  },
  reactivate: { word: "Reactivate", follows: "can sign in again.", done: "Reactivated.", destructive: false },
  "end-sessions": {
    word: "End sessions",
    follows: "is signed out everywhere and has to sign in again.",
    done: "Signed out everywhere.",
    destructive: true,
  },
  erase: {
    word: "Erase",
    follows:
      "is forgotten: name, address, user name and factors are deleted, here and in what opens the ledger. Their past decisions stay, by number only. This cannot be undone.",
    done: "Erased.",
    destructive: true,
  },
};

function actsFor(me: Me, person: WholePerson): readonly Act[] {
  if (me.person_id === person.id || person.status === "erased") return [];
  const recovery: readonly Act[] = may(me, "org:user:recover") && person.status === "active" ? ["recovery"] : [];
  if (!may(me, "org:user:suspend")) return recovery;
  switch (person.status) {
    case "active":
      return [...recovery, "end-sessions", "lock", "suspend", "erase"];
    case "locked":
      return [...recovery, "unlock", "suspend", "erase"];
    case "suspended":
      return ["reactivate", "erase"];
    default:
      return ["suspend", "erase"];
  }
}

/** What changes the record itself; anybody else's can also be found to be a second one of somebody. */
function joiningFor(me: Me, person: WholePerson): ReactNode {
  if (person.status === "erased" || !may(me, "org:user:write")) return null;
  return (
    <>
      <ChangePersonButton person={person} />
      {may(me, "org:role:assign") && me.person_id !== person.id && <EmergencyButton person={person} />}
      {may(me, "org:user:merge") && me.person_id !== person.id && <MergeButton me={me} person={person} />}
    </>
  );
}

function carryOut(person: WholePerson, act: Exclude<Act, "recovery">, { reason, confirm }: ActGiven): Promise<unknown> {
  if (act === "erase") return erasePerson(person.id, reason, confirm);
  if (act === "end-sessions") return endSessionsOf(person.id);
  return changeStatus(person.id, act, reason);
}

export function PersonActs({ me, person }: PersonActsProps): ReactNode {
  const [asking, setAsking] = useState<Act | null>(null);
  const acts = actsFor(me, person);
  const joining = joiningFor(me, person);
  if (acts.length === 0 && joining === null) return null;
  const name = person.name ?? person.assignee;
  const close = (): void => {
    setAsking(null);
  };
  return (
    <div className={styles.acts}>
      {joining}
      {acts.map((act) => (
        <button
          key={act}
          type="button"
          className={classNames(controls.button, act === "erase" && controls.refuse)}
          onClick={() => {
            setAsking(act);
          }}
        >
          {act === "recovery" ? "Recovery link" : words[act].word}
        </button>
      ))}
      {asking === "recovery" && <RecoverySheet person={person} onClose={close} />}
      {asking !== null && asking !== "recovery" && (
        <ActSheet
          title={`${words[asking].word}: ${name}`}
          verb={words[asking].word}
          destructive={words[asking].destructive}
          reasoned={asking !== "end-sessions"}
          {...(asking === "erase" ? { confirmName: name } : {})}
          done={words[asking].done}
          act={(given) => carryOut(person, asking, given)}
          onClose={close}
        >
          <p>
            <strong>
              <OutsideText text={name} />
            </strong>{" "}
            {words[asking].follows}
          </p>
        </ActSheet>
      )}
    </div>
  );
}

interface RecoverySheetProps {
  readonly person: WholePerson;
  readonly onClose: () => void;
}

function RecoverySheet({ person, onClose }: RecoverySheetProps): ReactNode {
  const making = useMutation({ mutationFn: () => recoveryLink(person.id) });
  const name = person.name ?? person.assignee;
  if (making.data !== undefined) {
    return (
      <Sheet title="Recovery link" onClose={onClose}>
        <LinkShown link={making.data} who={name} what="recovery link" />
        <DoneButton onClose={onClose} />
      </Sheet>
    );
  }
  return (
    <Sheet title="Recovery link" onClose={onClose}>
      <p>
        With the link{" "}
        <strong>
          <OutsideText text={name} />
        </strong>{" "}
        sets up a new factor. Using it signs them out everywhere and forgets their trusted browsers and backup codes;
        for a while the new factor does not decide. Make sure by another channel that it is really them who asks.
      </p>
      <RefusedNote failure={making.error} />
      <div className={listing.buttons}>
        <button type="button" className={controls.button} onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          className={classNames(controls.button, controls.primary)}
          aria-disabled={making.isPending}
          onClick={() => {
            if (!making.isPending) making.mutate();
          }}
        >
          Make the link
        </button>
      </div>
    </Sheet>
  );
}
