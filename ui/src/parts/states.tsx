import { RotateCwIcon, TriangleAlertIcon } from "lucide-react";
import type { ReactNode } from "react";

import { Refusal } from "../api/call.ts";
import { classNames } from "../look/class-names.ts";
import controls from "./controls.module.css";
import { CopyButton } from "./copy-button.tsx";
import { clockWords } from "./durations.ts";
import { OutsideText } from "./outside-text.tsx";
import styles from "./states.module.css";

/** The states every page has: loading, empty, failed, refused. */
export function Loading({ rows = 4, label }: { readonly rows?: number; readonly label: string }): ReactNode {
  return (
    <div className={styles.loading} role="status" aria-busy="true" aria-label={`Loading ${label}`}>
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} className={styles.bone} />
      ))}
    </div>
  );
}

interface EmptyProps {
  readonly title: string;
  readonly children?: ReactNode;
}

export function Empty({ title, children }: EmptyProps): ReactNode {
  return (
    <div className={styles.empty}>
      <span className={styles.rule} aria-hidden="true" />
      <p className={styles.title}>{title}</p>
      {children !== undefined && <div className={styles.body}>{children}</div>}
    </div>
  );
}

interface FailedProps {
  /** What could not be read or done, as in "The inbox". */
  readonly what: string;
  readonly failure: Error;
  readonly since?: number;
  readonly onRetry?: () => void;
  /** What else can be done about it. */
  readonly children?: ReactNode;
}

/** Error, retryable or refused: what failed, since when, the code, and what to do. The rest of the page stays. */
export function Failed({ what, failure, since, onRetry, children }: FailedProps): ReactNode {
  return (
    <div className={styles.failed} role="alert">
      <TriangleAlertIcon size={18} aria-hidden="true" className={styles.failedIcon} />
      <div className={styles.failedBody}>
        <p className={styles.failedTitle}>
          {what} could not be shown{since === undefined || since === 0 ? "" : ` (${clockWords(since)})`}
        </p>
        <RefusalText failure={failure} />
        {onRetry !== undefined && (
          <button type="button" className={classNames(controls.button, controls.small)} onClick={onRetry}>
            <RotateCwIcon size={14} aria-hidden="true" />
            Try again
          </button>
        )}
        {children}
      </div>
    </div>
  );
}

/** The sentence of a refusal with its code and trace, to be copied to whoever can help. */
export function RefusalText({ failure }: { readonly failure: Error }): ReactNode {
  const code = failure instanceof Refusal ? failure.code : null;
  const trace = failure instanceof Refusal ? failure.trace : null;
  const faults = failure instanceof Refusal ? failure.faults : [];
  return (
    <div className={styles.refusal}>
      <p>
        <OutsideText text={failure.message} />
      </p>
      {failure instanceof Refusal && failure.hint !== null && (
        <p>
          <OutsideText text={failure.hint} />
        </p>
      )}
      {faults.length > 0 && (
        <ul className={styles.faults}>
          {faults.map((fault, index) => (
            <li key={index}>
              {fault.path !== "" && (
                <code>
                  <OutsideText text={fault.path} />
                </code>
              )}{" "}
              <OutsideText text={fault.message} />
            </li>
          ))}
        </ul>
      )}
      {failure instanceof Refusal && failure.changed.length > 0 && (
        <p>
          Changed: <OutsideText text={failure.changed.join(", ")} />
        </p>
      )}
      {code !== null && (
        <p className={styles.code}>
          <code>{code}</code>
          {trace !== null && (
            <>
              <span>trace</span>
              <code>{trace}</code>
              <CopyButton text={`${code} ${trace}`} what="code and trace" />
            </>
          )}
        </p>
      )}
    </div>
  );
}
