import type { ReactNode } from "react";

import type { Policy, PolicyStage } from "../../api/policies.ts";
import { OutsideText } from "../../parts/outside-text.tsx";
import styles from "./policy-version-page.module.css";
import { emptySentence, observerWords, stageGroups, stageSentence, timeSentence } from "./policy-words.ts";

/** The stages in the order in which they run, those of one parallel group side by side in one box. */
export function PolicyStages({ policy }: { readonly policy: Policy }): ReactNode {
  const groups = stageGroups(policy);
  return (
    <section aria-labelledby="stages-title">
      <h2 id="stages-title" className={styles.subtitle}>
        Stages
      </h2>
      {groups.length === 0 && <p className={styles.quiet}>No stages yet.</p>}
      <ol className={styles.groups}>
        {groups.map((group, index) => (
          <li key={group[0]?.stage_order ?? index} className={styles.group}>
            <span className={styles.number}>{index + 1}</span>
            <div className={styles.together}>
              {group.length > 1 && (
                <p className={styles.parallel}>{group.length} stages at the same time; all must be completed</p>
              )}
              {group.map((stage) => (
                <Stage key={stage.stage_order} stage={stage} />
              ))}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Stage({ stage }: { readonly stage: PolicyStage }): ReactNode {
  const observers = observerWords(stage);
  const time = timeSentence(stage);
  return (
    <div>
      <h3 className={styles.stageName}>
        <OutsideText text={stage.name} />
      </h3>
      <p className={styles.sentence}>
        <OutsideText text={stageSentence(stage)} />
      </p>
      <dl className={styles.terms}>
        {time !== null && <Term word="Due in">{time}</Term>}
        {observers !== null && <Term word="Observed by">{observers}</Term>}
        {stage.skip_if !== null && (
          <div>
            <dt>Skipped if</dt>
            <dd>
              <code>
                <OutsideText text={JSON.stringify(stage.skip_if)} />
              </code>
            </dd>
          </div>
        )}
        {stage.assurance !== null && <Term word="Sign-in needed">{stage.assurance}</Term>}
        <Term word="If nobody is eligible">{emptySentence(stage)}</Term>
      </dl>
    </div>
  );
}

function Term({ word, children }: { readonly word: string; readonly children: string }): ReactNode {
  return (
    <div>
      <dt>{word}</dt>
      <dd>
        <OutsideText text={children} />
      </dd>
    </div>
  );
}
