import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useState } from "react";

import { useDeployApprovals } from "../../api/deploy-approvals.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { forecast } from "./refusal-forecast.ts";
import styles from "./settings.module.css";

interface DryRunProps {
  readonly scope: string;
  readonly app: string;
  readonly approvalsEnabled: boolean;
}

/** R-UI-5: why would a deploy of this commit be refused now? */
export function DryRun({ scope, app, approvalsEnabled }: DryRunProps): ReactNode {
  const [typed, setTyped] = useState("");
  const [commit, setCommit] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  return (
    <form
      className={styles.tools}
      noValidate
      aria-label="Would it be refused?"
      onSubmit={(event) => {
        event.preventDefault();
        const given = typed.trim().toLowerCase();
        const fits = /^[0-9a-f]{7,64}$/.test(given);
        setFault(fits ? null : "Write at least seven hexadecimal digits of the commit.");
        setCommit(fits ? given : null);
      }}
    >
      <h2 className={listing.title}>Why would a deploy be refused now?</h2>
      <div className={styles.line}>
        <TextField label="Commit id" autoComplete="off" mono value={typed} fault={fault} onChange={setTyped} />
        <button type="submit" className={controls.button}>
          Look
        </button>
      </div>
      {commit !== null && <Answer scope={scope} app={app} approvalsEnabled={approvalsEnabled} commit={commit} />}
    </form>
  );
}

function Answer({ scope, app, approvalsEnabled, commit }: DryRunProps & { readonly commit: string }): ReactNode {
  const found = useDeployApprovals({ scope, app, commit, limit: 20 });
  if (found.isError) return <Failed what="The requests of this commit" failure={found.error} />;
  if (found.data === undefined) return <Loading rows={1} label="the requests of this commit" />;
  const requests = found.data.deploy_approval_requests;
  const { passes, sentences } = forecast(requests, approvalsEnabled);
  const [newest] = requests;
  return (
    <div role="status">
      <p className={styles.verdict}>
        <strong className={classNames(passes ? styles.good : styles.bad)}>
          {passes ? "✓ the approval would not be missing" : "✕ it would be refused"}
        </strong>
        <OutsideText text={sentences.join(" ")} />
      </p>
      {newest !== undefined && (
        <p>
          <Link to="/deploy/requests/$id" params={{ id: newest.public_id }}>
            Show the request
          </Link>
        </p>
      )}
      <p className={controls.hint}>
        Archive, images and commands are judged when they are sent; this looks at the approval alone.
      </p>
    </div>
  );
}
