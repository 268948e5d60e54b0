import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { factorsQuery, makeBackupCodes, useOwnFactors } from "../../api/factors.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { BackupCodeList } from "../enrolment/backup-codes.tsx";

export function BackupCodesSection(): ReactNode {
  const client = useQueryClient();
  const own = useOwnFactors().data;
  const making = useMutation({ mutationFn: makeBackupCodes });
  if (own === undefined) return null;
  const codes = own.backup_codes;
  return (
    <section className={listing.section} aria-labelledby="backup-codes-title">
      <div className={listing.head}>
        <h2 id="backup-codes-title" className={listing.title}>
          Backup codes
        </h2>
        <button
          type="button"
          className={controls.button}
          aria-disabled={making.isPending}
          onClick={() => {
            if (!making.isPending) making.mutate();
          }}
        >
          {codes === null ? "Make backup codes" : "Make new codes"}
        </button>
      </div>
      <RefusedNote failure={making.error} />
      <p className={listing.lead}>
        {codes === null ? (
          "None. They let you in when your phone or key is lost; each works once."
        ) : (
          <>
            {codes.remaining} of 10 left
            {codes.created_at !== null && (
              <>
                , made <Moment at={codes.created_at} reachable />
              </>
            )}
            . New codes replace these once you say that you have stored them.
          </>
        )}
      </p>
      {making.data !== undefined && (
        <Sheet
          title="Backup codes"
          onClose={() => {
            making.reset();
          }}
        >
          <BackupCodeList
            codes={making.data}
            onStored={async () => {
              announce("The new codes count from now on.");
              making.reset();
              await client.invalidateQueries({ queryKey: factorsQuery.queryKey });
            }}
          />
        </Sheet>
      )}
    </section>
  );
}
