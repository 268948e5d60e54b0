import { useMutation, useQueryClient } from "@tanstack/react-query";
import { FingerprintIcon, SmartphoneIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Factor } from "../../api/factors.ts";
import { byAge, enrolPasskey, removeFactor, renameFactor, useOwnFactors } from "../../api/factors.ts";
import { passkeysSupported } from "../../api/passkeys.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { AuthenticatorForm } from "../enrolment/authenticator-form.tsx";
import { passkeyName } from "../enrolment/passkey-name.ts";
import { FactorRow } from "./factor-row.tsx";

export function FactorsSection(): ReactNode {
  const own = useOwnFactors();
  const client = useQueryClient();
  const [adding, setAdding] = useState(false);
  const refresh = async (): Promise<void> => {
    await client.invalidateQueries({ queryKey: ["me"] });
  };
  const enrolling = useMutation({
    mutationFn: () => enrolPasskey(passkeyName(navigator.userAgent)),
    onSuccess: async () => {
      announce("The passkey is added.");
      await refresh();
    },
  });
  return (
    <section className={listing.section} aria-labelledby="factors-title">
      <div className={listing.head}>
        <h2 id="factors-title" className={listing.title}>
          Passkeys and authenticators
        </h2>
        <div className={listing.acts}>
          <button
            type="button"
            className={controls.button}
            onClick={() => {
              setAdding(true);
            }}
          >
            <SmartphoneIcon size={16} strokeWidth={1.75} aria-hidden="true" />
            Add authenticator
          </button>
          {passkeysSupported() && (
            <button
              type="button"
              className={classNames(controls.button, controls.primary)}
              aria-disabled={enrolling.isPending}
              onClick={() => {
                if (!enrolling.isPending) enrolling.mutate();
              }}
            >
              <FingerprintIcon size={16} strokeWidth={1.75} aria-hidden="true" />
              {enrolling.isPending ? "Waiting…" : "Add passkey"}
            </button>
          )}
        </div>
      </div>
      <RefusedNote failure={enrolling.error} />
      {own.isError && <Failed what="Your factors" failure={own.error} onRetry={() => void own.refetch()} />}
      {own.isPending && <Loading rows={2} label="your factors" />}
      {own.data?.factors.length === 0 && (
        <p className={listing.none}>
          None yet. A passkey signs you in and signs decisions; nothing of it can be stolen by a page.
        </p>
      )}
      <ul className={listing.rows} aria-label="Passkeys and authenticators">
        {byAge(own.data?.factors ?? []).map((factor) => (
          <FactorRow key={factor.id} factor={factor}>
            <OwnFactorActs factor={factor} onChanged={refresh} />
          </FactorRow>
        ))}
      </ul>
      {adding && (
        <Sheet
          title="Add authenticator"
          onClose={() => {
            setAdding(false);
          }}
        >
          <AuthenticatorForm
            onEnrolled={async () => {
              announce("The authenticator is added.");
              setAdding(false);
              await refresh();
            }}
          />
        </Sheet>
      )}
    </section>
  );
}

interface OwnFactorActsProps {
  readonly factor: Factor;
  readonly onChanged: () => Promise<void>;
}

function OwnFactorActs({ factor, onChanged }: OwnFactorActsProps): ReactNode {
  const [sheet, setSheet] = useState<"rename" | "remove" | null>(null);
  const close = (): void => {
    setSheet(null);
  };
  return (
    <>
      <button
        type="button"
        className={classNames(controls.button, controls.small, controls.quiet)}
        onClick={() => {
          setSheet("rename");
        }}
      >
        Rename
      </button>
      <button
        type="button"
        className={classNames(controls.button, controls.small, controls.quiet)}
        onClick={() => {
          setSheet("remove");
        }}
      >
        Remove
      </button>
      {sheet === "rename" && <RenameSheet factor={factor} onChanged={onChanged} onClose={close} />}
      {sheet === "remove" && (
        <ActSheet
          title="Remove factor"
          verb="Remove"
          destructive
          done="The factor is removed."
          act={() => removeFactor(factor.id)}
          onClose={close}
        >
          <p>
            <strong>
              <OutsideText text={factor.name} />
            </strong>{" "}
            no longer signs you in and no longer decides. What it signed before stays valid. It cannot be put back, only
            added anew.
          </p>
        </ActSheet>
      )}
    </>
  );
}

interface RenameSheetProps extends OwnFactorActsProps {
  readonly onClose: () => void;
}

function RenameSheet({ factor, onChanged, onClose }: RenameSheetProps): ReactNode {
  const [name, setName] = useState(factor.name);
  const renaming = useMutation({
    mutationFn: () => renameFactor(factor.id, name.trim()),
    onSuccess: async () => {
      announce("Renamed.");
      await onChanged();
      onClose();
    },
  });
  return (
    <Sheet title="Rename factor" onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== "" && !renaming.isPending) renaming.mutate();
        }}
      >
        <TextField label="Name" value={name} maxLength={64} autoComplete="off" onChange={setName} />
        <RefusedNote failure={renaming.error} />
        <div className={listing.buttons}>
          <button type="button" className={controls.button} onClick={onClose}>
            Leave as it is
          </button>
          <button
            type="submit"
            className={classNames(controls.button, controls.primary)}
            aria-disabled={renaming.isPending || name.trim() === ""}
          >
            Rename
          </button>
        </div>
      </form>
    </Sheet>
  );
}
