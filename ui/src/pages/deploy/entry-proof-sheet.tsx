import { DownloadIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { DeployLog } from "../../api/deploy-approvals.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Digest } from "../../parts/digest.tsx";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import styles from "./entry-proof-sheet.module.css";

interface EntryProofSheetProps {
  readonly requestId: string;
  readonly log: DeployLog;
  readonly onClose: () => void;
}

/** R-UI-3: where a line of the timeline stands in the ledger, and the file with which anybody can check that it does. */
export function EntryProofSheet({ requestId, log, onClose }: EntryProofSheetProps): ReactNode {
  const number = log.chain_index.toLocaleString("en");
  const command = "countersign verify approval.json --trust trust.txt";
  return (
    <Sheet title={`Entry ${number} of the ledger`} onClose={onClose}>
      <div className={listing.form}>
        <dl className={styles.facts}>
          <dt>What</dt>
          <dd>
            <OutsideText text={log.action} />
          </dd>
          <dt>When</dt>
          <dd>
            <Moment at={log.timestamp} reachable />
          </dd>
          <dt>Hash</dt>
          <dd>
            <Digest digest={log.event_hash} whole />
          </dd>
          <dt>Entry before</dt>
          <dd>
            <Digest digest={log.previous_hash} whole />
          </dd>
        </dl>
        <p>
          The evidence of this request holds its entries with the proof that the ledger includes them. Save it as
          approval.json; it is checked without this server:
        </p>
        <pre className={listing.command} tabIndex={0} aria-label="Command">
          {command}
        </pre>
        <div className={listing.buttons}>
          <CopyButton text={command} what="command" labelled />
          <a
            className={classNames(controls.button, controls.primary)}
            href={`/v1/requests/${encodeURIComponent(requestId)}/bundle`}
            download="approval.json"
          >
            <DownloadIcon size={16} aria-hidden="true" />
            Download the evidence
          </a>
        </div>
      </div>
    </Sheet>
  );
}
