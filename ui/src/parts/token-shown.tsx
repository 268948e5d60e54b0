import type { ReactNode } from "react";

import { classNames } from "../look/class-names.ts";
import controls from "./controls.module.css";
import { CopyButton } from "./copy-button.tsx";
import listing from "./listing.module.css";
import { OneTimeText } from "./one-time-text.tsx";

interface TokenShownProps {
  readonly token: string;
  /** Where to put it, and what if it is lost. */
  readonly advice: string;
  /** One that works with this token. */
  readonly command: string;
  readonly onClose: () => void;
}

/** R-ADM-2: the secret this once, and a first command that works with it. */
export function TokenShown({ token, advice, command, onClose }: TokenShownProps): ReactNode {
  return (
    <>
      <OneTimeText what="token" text={token}>
        <p>{advice}</p>
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
