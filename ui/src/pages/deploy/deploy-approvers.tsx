import type { ReactNode } from "react";

import type { DeployApproval } from "../../api/deploy-approvals.ts";
import { useDecisions, useExplain } from "../../api/requests.ts";
import type { Me } from "../../api/session.ts";
import { OutsideText } from "../../parts/outside-text.tsx";
import { countedSignatures, SignatureLine } from "../../parts/signature-line.tsx";
import { namesOf } from "../request/person-names.ts";
import { SignaturePanel } from "../request/signature-panel.tsx";
import panel from "../request/signature-panel.module.css";

interface DeployApproversProps {
  readonly me: Me;
  readonly approval: DeployApproval;
}

/** Who must approve, who has, and who cannot, with the reason. */
export function DeployApprovers({ me, approval }: DeployApproversProps): ReactNode {
  const id = approval.public_id;
  const explain = useExplain(id);
  const decisions = useDecisions(id);
  const names = namesOf(explain.data ?? null, me);
  if (explain.data === undefined && !explain.isPending) return <Counted approval={approval} />;
  return (
    <SignaturePanel
      explain={explain.data ?? null}
      decisions={decisions.data ?? []}
      names={names}
      reasons={deployReasons}
    />
  );
}

const deployReasons = { requester: "asked for it", forbidden: "wrote the commit or owns the token" } as const;

/** For whoever may not read the request's policy: how far it is. */
function Counted({ approval: { approvals } }: { readonly approval: DeployApproval }): ReactNode {
  if (approvals === null) return null;
  const missing = approvals.remaining.map(({ label }) => label);
  return (
    <section aria-labelledby="signatures-title">
      <h2 id="signatures-title" className={panel.title}>
        Signatures
      </h2>
      <SignatureLine signatures={countedSignatures(approvals.required, approvals.given)} />
      <p className={panel.rule}>
        {approvals.given} of {approvals.required} approvals
        {missing.length > 0 && (
          <>
            ; asked: <OutsideText text={missing.join(", ")} />
          </>
        )}
      </p>
    </section>
  );
}
