import type { ReactNode } from "react";

import type { View } from "../../api/views.ts";
import { Digest } from "../../parts/digest.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { blockText } from "../../signing/display-blocks.ts";
import styles from "./signed-details.module.css";

/** What a passkey is asked to sign, before it is asked: the same facts that the statement is checked against. */
export function SignedDetails({ view }: { readonly view: View }): ReactNode {
  return (
    <details className={styles.details}>
      <summary>What your passkey signs</summary>
      <p className={styles.meaning}>
        <OutsideText text={blockText(view, "meaning", "text")} />
      </p>
      <dl className={styles.facts}>
        <Fact word="Payload">
          revision {view.revision} <Digest digest={view.digest} />
        </Fact>
        <Fact word="What is on the screen">
          <Digest digest={view.display.digest} />
        </Fact>
        <Fact word="Policy">
          <OutsideText text={view.policy.key} /> version {view.policy.version} <Digest digest={view.policy.digest} />
        </Fact>
        <Fact word="Ledger as you saw it">
          {view.checkpoint.size.toLocaleString("en")} entries of <OutsideText text={view.checkpoint.origin} />
        </Fact>
        <Fact word="And">your decision, and your reason if you give one</Fact>
      </dl>
    </details>
  );
}

function Fact({ word, children }: { readonly word: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className={styles.fact}>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  );
}
