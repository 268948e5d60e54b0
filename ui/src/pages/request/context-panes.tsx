import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { canonicalJson } from "../../../../src/ledger/canonical-json.ts";
import type { ApprovalRequest } from "../../api/requests.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Digest } from "../../parts/digest.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { boundPayload } from "./bound-payload.ts";
import styles from "./context-panes.module.css";
import { FieldTable } from "./field-table.tsx";

/** R-CON-2: the context as it was sent, and its canonical text one tab away. */
export function ContextPanes({ request }: { readonly request: ApprovalRequest }): ReactNode {
  const pane = useSearch({ strict: false, select: (search) => ("pane" in search ? search.pane : undefined) });
  const navigate = useNavigate();
  return (
    <Tabs
      label="Evidence"
      shown={pane ?? "fields"}
      tabs={[
        { value: "fields", word: "Fields", pane: () => <Fields request={request} /> },
        { value: "raw", word: "Raw", pane: () => <Raw request={request} /> },
      ]}
      onShow={(value) => {
        void navigate({
          to: ".",
          search: (before) => ({ ...before, pane: value === "raw" ? ("raw" as const) : undefined }),
          state: true,
          replace: true,
          resetScroll: false,
        });
      }}
    />
  );
}

function Fields({ request }: { readonly request: ApprovalRequest }): ReactNode {
  if (Object.keys(request.context).length === 0) {
    return (
      <p className={styles.note}>The requester sent no context: there is nothing to read but the artifact itself.</p>
    );
  }
  return <FieldTable value={request.context} />;
}

function Raw({ request }: { readonly request: ApprovalRequest }): ReactNode {
  const canonical = canonicalJson(boundPayload(request));
  return (
    <div className={styles.raw}>
      <div className={styles.rawHead}>
        <p className={styles.note}>
          What is bound, as canonical JSON (RFC 8785), {new TextEncoder().encode(canonical).length.toLocaleString("en")}{" "}
          bytes
        </p>
        <CopyButton text={canonical} what="JSON" labelled />
      </div>
      <pre className={styles.code} tabIndex={0} aria-label="Canonical JSON">
        <OutsideText text={canonical} />
      </pre>
      {request.digest !== null && (
        <div className={styles.note}>
          <p>The digest below is the SHA-256 of exactly these bytes. Your decision names it.</p>
          <Digest digest={request.digest} whole />
        </div>
      )}
    </div>
  );
}
