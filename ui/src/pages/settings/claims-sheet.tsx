import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { TestedClaims, WorkloadProvider } from "../../api/machines.ts";
import { testClaims } from "../../api/machines.ts";
import type { JsonObject } from "../../api/read.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { Tested } from "../../parts/tested.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { pastedClaims } from "./pasted-claims.ts";

interface ClaimsSheetProps {
  readonly provider: WorkloadProvider;
  readonly onClose: () => void;
}

/** R-UI-6: which condition fails? The server judges as it does when a token comes; only the claims are sent, never the token. */
export function ClaimsSheet({ provider, onClose }: ClaimsSheetProps): ReactNode {
  const [pasted, setPasted] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const testing = useMutation({ mutationFn: (claims: JsonObject) => testClaims(provider.id, claims) });
  return (
    <Sheet title="Test claims" onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const claims = pastedClaims(pasted);
          setFault(claims === null ? "Paste the claims as a JSON object, or a whole token." : null);
          if (claims !== null && !testing.isPending) testing.mutate(claims);
        }}
      >
        <p>
          Would{" "}
          <strong>
            <OutsideText text={provider.name} />
          </strong>{" "}
          let a token with these claims in? Its signature and its times are not looked at.
        </p>
        <TextField
          label="Claims of the token"
          rows={6}
          mono
          hint='As {"sub": "repo:MyOrg/myapp:ref:refs/heads/main", …}'
          value={pasted}
          fault={fault}
          onChange={setPasted}
        />
        {testing.data !== undefined && <Judged tested={testing.data} />}
        <RefusedNote failure={testing.error} />
        <div className={listing.buttons}>
          <button type="button" className={controls.button} onClick={onClose}>
            Close
          </button>
          <button
            type="submit"
            className={classNames(controls.button, controls.primary)}
            aria-disabled={testing.isPending}
          >
            Test
          </button>
        </div>
      </form>
    </Sheet>
  );
}

const names: Readonly<Record<string, string>> = {
  provider: "The provider",
  iss: "Issuer (iss)",
  aud: "Audience (aud)",
  sub: "Subject (sub)",
};

function Judged({ tested }: { readonly tested: TestedClaims }): ReactNode {
  const failed = tested.conditions.filter(({ holds }) => !holds).length;
  return (
    <div>
      <Tested ok={tested.lets_in}>
        {tested.lets_in
          ? "It would be let in: every condition holds."
          : `It would be refused: ${failed === 1 ? "one condition does" : `${String(failed)} conditions do`} not hold.`}
      </Tested>
      <ul className={listing.rows} aria-label="Conditions">
        {tested.conditions.map(({ claim, allowed, found, holds }) => (
          <li key={claim} className={listing.row}>
            <div className={listing.what}>
              <p className={listing.name}>
                <OutsideText text={names[claim] ?? claim} />
                <span className={classNames(listing.badge, !holds && listing.bad)}>
                  {holds ? "holds" : "does not hold"}
                </span>
              </p>
              <p className={listing.about}>
                <span>
                  there: <OutsideText text={found.length === 0 ? "nothing" : found.join(", ")} />
                </span>
                <span>
                  allowed: <OutsideText text={allowed.join(", ")} />
                </span>
              </p>
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}
