import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import { useOwnFactors } from "../../api/factors.ts";
import type { Me } from "../../api/session.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { PasswordForm } from "../enrolment/password-form.tsx";

export function PasswordSection({ me }: { readonly me: Me }): ReactNode {
  const client = useQueryClient();
  const changedAt = useOwnFactors().data?.password_changed_at ?? null;
  const [asking, setAsking] = useState(false);
  return (
    <section className={listing.section} aria-labelledby="password-title">
      <div className={listing.head}>
        <h2 id="password-title" className={listing.title}>
          Password
        </h2>
        <button
          type="button"
          className={controls.button}
          onClick={() => {
            setAsking(true);
          }}
        >
          {me.password_set ? "Change password" : "Set a password"}
        </button>
      </div>
      <p className={listing.lead}>
        {me.password_set ? (
          <>
            Set {changedAt === null ? "" : <Moment at={changedAt} reachable />}. It signs you in only together with an
            authenticator or a backup code.
          </>
        ) : (
          "None. With passkeys you need none."
        )}
      </p>
      {asking && (
        <Sheet
          title={me.password_set ? "Change password" : "Set a password"}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>Everywhere else you are signed in, you will be signed out.</p>
          <PasswordForm
            verb="Save password"
            userName={me.assignee}
            onSet={() => {
              announce("The password is saved.");
              setAsking(false);
              void client.invalidateQueries({ queryKey: ["me"] });
            }}
          />
        </Sheet>
      )}
    </section>
  );
}
