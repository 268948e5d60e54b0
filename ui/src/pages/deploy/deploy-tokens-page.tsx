import { useQuery } from "@tanstack/react-query";
import { KeySquareIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import type { DeployToken } from "../../api/deploy-tokens.ts";
import { deleteDeployToken, useDeployTokens } from "../../api/deploy-tokens.ts";
import { may, meQuery } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { DeployNav } from "./deploy-nav.tsx";
import { DeployTokenSheet } from "./deploy-token-sheet.tsx";

/** R-UI-6: tokens of pipelines and people for the racks; none of them can approve. */
export function DeployTokensPage(): ReactNode {
  const me = useQuery(meQuery).data;
  const tokens = useDeployTokens();
  const [making, setMaking] = useState(false);
  return (
    <>
      <PageHead title="Deploy tokens" />
      <DeployNav />
      <div className={listing.sheet}>
        <section className={listing.section} aria-labelledby="tokens-title">
          <div className={listing.head}>
            <h2 id="tokens-title" className={listing.title}>
              Deploy tokens
            </h2>
            {me !== undefined && may(me, "gateway:api_token:create") && (
              <button
                type="button"
                className={controls.button}
                onClick={() => {
                  setMaking(true);
                }}
              >
                Make deploy token
              </button>
            )}
          </div>
          {tokens.isError && <Failed what="The tokens" failure={tokens.error} onRetry={() => void tokens.refetch()} />}
          {tokens.isPending && <Loading rows={3} label="tokens" />}
          {tokens.data?.length === 0 && (
            <p className={listing.none}>None. A pipeline needs one to ask for approvals and to deploy.</p>
          )}
          <ul className={listing.rows} aria-label="Deploy tokens">
            {tokens.data?.map((token) => (
              <TokenRow
                key={token.public_id}
                token={token}
                deletes={me !== undefined && may(me, "gateway:api_token:delete")}
              />
            ))}
          </ul>
        </section>
      </div>
      {making && (
        <DeployTokenSheet
          onClose={() => {
            setMaking(false);
          }}
        />
      )}
    </>
  );
}

interface TokenRowProps {
  readonly token: DeployToken;
  readonly deletes: boolean;
}

function TokenRow({ token, deletes }: TokenRowProps): ReactNode {
  const [deleting, setDeleting] = useState(false);
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
        <div className={listing.acts}>
          <button
            type="button"
            className={classNames(controls.button, controls.small, controls.quiet)}
            aria-label={`Delete ${token.name}`}
            onClick={() => {
              setDeleting(true);
            }}
          >
            Delete
          </button>
        </div>
      )}
      {deleting && (
        <ActSheet
          title="Delete token"
          verb="Delete"
          destructive
          confirmName={token.name}
          done="The token is deleted."
          act={() => deleteDeployToken(token.public_id)}
          onClose={() => {
            setDeleting(false);
          }}
        >
          <p>It is refused at once, and its open requests are cancelled. Their history stays.</p>
        </ActSheet>
      )}
    </li>
  );
}

function placesOf({ racks, apps }: DeployToken): string {
  const where = racks === null ? "every rack" : racks.join(", ");
  return apps === null ? where : `${where}: ${apps.join(", ")}`;
}
