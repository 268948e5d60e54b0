import { KeySquareIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { ApiToken } from "../../api/machines.ts";
import { revokeToken } from "../../api/machines.ts";
import { serverNow } from "../../api/server-clock.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RowActs } from "../../parts/row-acts.tsx";
import { RotateSheet } from "./rotate-sheet.tsx";

/** R-ADM-2: last use, expiry and owner, and what can be done about it. */
export function TokenRow({ token, writes }: { readonly token: ApiToken; readonly writes: boolean }): ReactNode {
  const ended = token.revoked_at !== null || (token.expires_at !== null && Date.parse(token.expires_at) <= serverNow());
  return (
    <li className={listing.row}>
      <KeySquareIcon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
      <div className={listing.what}>
        <p className={listing.name}>
          <OutsideText text={token.name} />
          <code>
            {token.prefix}…{token.last_four}
          </code>
          <Badges token={token} />
        </p>
        <p className={listing.about}>
          <span>
            <OutsideText text={token.machine ?? "unknown machine"} />
          </span>
          <span>{token.scopes.length === 1 ? "1 scope" : `${String(token.scopes.length)} scopes`}</span>
          <span>
            {token.last_used_at === null ? (
              "never used"
            ) : (
              <>
                used <Moment at={token.last_used_at} reachable />
              </>
            )}
          </span>
          <Ending token={token} />
        </p>
      </div>
      {writes && !ended && (
        <RowActs
          acts={[
            { word: "Rotate", sheet: (close) => <RotateSheet token={token} onClose={close} /> },
            { word: "Revoke", sheet: (close) => <RevokeSheet token={token} onClose={close} /> },
          ]}
        />
      )}
    </li>
  );
}

interface RevokeSheetProps {
  readonly token: ApiToken;
  readonly onClose: () => void;
}

function RevokeSheet({ token, onClose }: RevokeSheetProps): ReactNode {
  return (
    <ActSheet
      title="Revoke token"
      verb="Revoke"
      destructive
      done="The token is revoked."
      act={() => revokeToken(token.id)}
      onClose={onClose}
    >
      <p>
        <strong>
          <OutsideText text={token.name} />
        </strong>{" "}
        is refused everywhere within a second. Whatever still uses it stops working.
      </p>
    </ActSheet>
  );
}

function Badges({ token }: { readonly token: ApiToken }): ReactNode {
  return (
    <>
      {token.revoked_at !== null && <span className={listing.badge}>revoked</span>}
      {token.revoked_at === null && token.expires_soon && (
        <span className={classNames(listing.badge, listing.wait)}>expires soon</span>
      )}
      {token.revoked_at === null && !token.owner_active && (
        <span className={classNames(listing.badge, listing.bad)}>refused: no active owner</span>
      )}
    </>
  );
}

function Ending({ token }: { readonly token: ApiToken }): ReactNode {
  if (token.revoked_at !== null) {
    return (
      <span>
        revoked <Moment at={token.revoked_at} reachable />
      </span>
    );
  }
  if (token.expires_at === null) return <span>never expires</span>;
  return (
    <span>
      {Date.parse(token.expires_at) <= serverNow() ? "expired " : "expires "}
      <Moment at={token.expires_at} reachable />
    </span>
  );
}
