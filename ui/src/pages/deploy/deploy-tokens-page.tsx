import { useQuery } from "@tanstack/react-query";
import { KeySquareIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { DeployToken } from "../../api/deploy-tokens.ts";
import { deleteDeployToken, useDeployTokens } from "../../api/deploy-tokens.ts";
import { may, meQuery } from "../../api/session.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import { AdministeredList } from "../../parts/administered-list.tsx";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RowActs } from "../../parts/row-acts.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { DeployNav } from "./deploy-nav.tsx";
import { DeployTokenSheet } from "./deploy-token-sheet.tsx";

/** R-UI-6: tokens of pipelines and people for the racks; none of them can approve. */
export function DeployTokensPage(): ReactNode {
  const me = useQuery(meQuery).data;
  const tokens = useDeployTokens();
  const makes = me !== undefined && may(me, "gateway:api_token:create");
  const deletes = me !== undefined && may(me, "gateway:api_token:delete");
  return (
    <>
      <PageHead title="Deploy tokens" />
      <DeployNav />
      <div className={listing.sheet}>
        <AdministeredList
          title="Deploy tokens"
          list={tokens}
          add={makes ? { word: "Make deploy token", sheet: (close) => <DeployTokenSheet onClose={close} /> } : null}
          none={<p className={listing.none}>None. A pipeline needs one to ask for approvals and to deploy.</p>}
          row={(token) => <TokenRow key={token.public_id} token={token} deletes={deletes} />}
        />
      </div>
    </>
  );
}

interface TokenRowProps {
  readonly token: DeployToken;
  readonly deletes: boolean;
}

function TokenRow({ token, deletes }: TokenRowProps): ReactNode {
  return (
    <li className={listing.row}>
      <KeySquareIcon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
      <div className={listing.what}>
        <p className={listing.name}>
          <OutsideText text={token.name} />
          <span className={listing.badge}>
            {token.kind === "service_account" ? "service account" : (token.owner_email ?? "a person’s")}
          </span>
        </p>
        <p className={listing.about}>
          <span>
            {token.permissions.length === 1 ? "1 permission" : `${String(token.permissions.length)} permissions`}
          </span>
          <span>
            <OutsideText text={placesOf(token)} />
          </span>
          <span>
            {token.last_used_at === null ? (
              "never used"
            ) : (
              <>
                used <Moment at={token.last_used_at} reachable />
              </>
            )}
          </span>
          {token.expires_at !== null && (
            <span>
              ends <Moment at={token.expires_at} reachable />
            </span>
          )}
        </p>
      </div>
      {deletes && (
        <RowActs
          acts={[
            {
              word: "Delete",
              label: `Delete ${token.name}`,
              sheet: (close) => <DeleteSheet token={token} onClose={close} />,
            },
          ]}
        />
      )}
    </li>
  );
}

interface DeleteSheetProps {
  readonly token: DeployToken;
  readonly onClose: () => void;
}

function DeleteSheet({ token, onClose }: DeleteSheetProps): ReactNode {
  return (
    <ActSheet
      title="Delete token"
      verb="Delete"
      destructive
      confirmName={token.name}
      done="The token is deleted."
      act={() => deleteDeployToken(token.public_id)}
      onClose={onClose}
    >
      <p>It is refused at once, and its open requests are cancelled. Their history stays.</p>
    </ActSheet>
  );
}

function placesOf({ racks, apps }: DeployToken): string {
  const where = racks === null ? "every rack" : racks.join(", ");
  return apps === null ? where : `${where}: ${apps.join(", ")}`;
}
