import type { ReactNode } from "react";

import type { MadeToken } from "../../api/machines.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { CopyButton } from "../../parts/copy-button.tsx";
import listing from "../../parts/listing.module.css";
import { OneTimeText } from "../../parts/one-time-text.tsx";

interface SecretShownProps {
  readonly made: MadeToken;
  readonly onClose: () => void;
}

/** R-ADM-2: the secret this once, and a first command that works with it. */
export function SecretShown({ made, onClose }: SecretShownProps): ReactNode {
  const command = `curl -H "Authorization: Bearer ${made.secret}" ${window.location.origin}/v1/me`;
  return (
    <>
      <OneTimeText what="token" text={made.secret}>
        <p>Put it where the machine keeps its secrets. It is shown this once; lost, it can only be rotated.</p>
      </OneTimeText>
      <div className={listing.form}>
        <p>To see that it works:</p>
        <pre className={listing.command} tabIndex={0} aria-label="Command">
          {command}
        </pre>
        <div className={listing.buttons}>
          <CopyButton text={command} what="command" labelled />
          <button type="button" className={classNames(controls.button, controls.primary)} onClick={onClose}>
            Done
          </button>
        </div>
      </div>
    </>
  );
}
