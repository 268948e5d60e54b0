import { CheckIcon, CircleDashedIcon, HourglassIcon, XIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { DeployApproval } from "../../api/deploy-approvals.ts";
import { classNames } from "../../look/class-names.ts";
import { Digest } from "../../parts/digest.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import styles from "./deploy-checks.module.css";
import { DeployChanges } from "./deploy-changes.tsx";
import { DeployEnvironment } from "./deploy-environment.tsx";
import { DeployImages } from "./deploy-images.tsx";
import type { CheckWords } from "./deploy-words.ts";
import { checksWords, sourceWords } from "./deploy-words.ts";
import { OutsideLink } from "./outside-link.tsx";

const icons = { approve: CheckIcon, wait: HourglassIcon, reject: XIcon, quiet: CircleDashedIcon } as const;

/** What was looked at and what came of it: each check in words, problems first. */
export function DeployChecks({ approval }: { readonly approval: DeployApproval }): ReactNode {
  const { builds, object_sha256: archive } = approval;
  return (
    <>
      <section aria-labelledby="checks-title">
        <h2 id="checks-title" className={styles.title}>
          Checks
        </h2>
        <ul className={styles.checks}>
          {checksOf(approval).map(({ tone, text }) => (
            <Check key={text} tone={tone} text={text} />
          ))}
        </ul>
        <CiLine approval={approval} />
      </section>
      <DeployChanges approval={approval} />
      <DeployImages approval={approval} />
      <DeployEnvironment approval={approval} />
      {(archive !== null || builds.length > 0) && (
        <section aria-labelledby="run-title" className={styles.part}>
          <h2 id="run-title" className={styles.title}>
            What was sent to the rack
          </h2>
          <ul className={styles.checks}>
            {archive !== null && (
              <li className={styles.line}>
                Archive <Digest digest={`sha256:${archive}`} />
              </li>
            )}
            {builds.map(({ id, status, attempt }) => (
              <li key={attempt} className={styles.line}>
                Build <code>{id ?? "not named yet"}</code> {status}
              </li>
            ))}
            {approval.promote_attempts > 0 && (
              <li className={styles.line}>
                Promoted {approval.promote_attempts === 1 ? "once" : `${String(approval.promote_attempts)} times`}
              </li>
            )}
          </ul>
        </section>
      )}
    </>
  );
}

/** Each thing is said once: what the server warns of is not said again. */
function checksOf(approval: DeployApproval): readonly CheckWords[] {
  const { unmatched_authors: unmatched, warnings } = approval;
  const warned = new Set(warnings.map(({ code }) => code));
  return [
    ...warnings.filter(({ code }) => code !== "ci_not_ready").map(({ message }) => waits(message)),
    ...ciChecks(approval),
    ...(unmatched.length === 0 || warned.has("authors_unmatched")
      ? []
      : [waits(`Nobody here is known as ${unmatched.join(", ")}, who wrote the commit`)]),
    ...(approval.commit === null ? [] : [passes("The commit was found in the repository")]),
    ...(approval.checks === null ? [] : [checksWords(approval.checks)]),
    ...(warned.has("source_unverified") ? [] : [sourceWords(approval.source_verification)]),
    ...imageChecks(approval),
  ];
}

function ciChecks({ ci }: DeployApproval): readonly CheckWords[] {
  if (ci === null) return [];
  if (ci.problems.length > 0) return ci.problems.map(({ message }) => waits(`CI: ${message}`));
  return ci.provider !== null && ci.ready ? [passes(`CI: ${ci.provider} will go on when this is approved`)] : [];
}

function imageChecks({ images: all, image_change: change }: DeployApproval): readonly CheckWords[] {
  // What the rack builds is no image yet: the archive stands for it.
  const images = all.filter(({ built }) => !built);
  const named = images.length === 0 ? [] : [imagesCheck(images)];
  if (change === null) return named;
  const { service, recorded, found } = change;
  const text = `The image of ${service} is not the recorded one any more: it was ${recorded} and is now ${found}`;
  return [{ tone: "reject", text }, ...named];
}

function waits(text: string): CheckWords {
  return { tone: "wait", text };
}

function passes(text: string): CheckWords {
  return { tone: "approve", text };
}

function imagesCheck(images: DeployApproval["images"]): CheckWords {
  const loose = images.filter(({ digest }) => digest === null).length;
  return loose === 0
    ? { tone: "approve", text: "Every image is named by its digest" }
    : { tone: "reject", text: `${String(loose)} of ${String(images.length)} images are named by a tag only` };
}

function Check({ tone, text }: CheckWords): ReactNode {
  const Icon = icons[tone];
  return (
    <li className={styles.check}>
      <Icon size={16} strokeWidth={2} aria-hidden="true" className={classNames(styles.icon, styles[tone])} />
      <span>
        <OutsideText text={text} />
      </span>
    </li>
  );
}

function CiLine({ approval: { ci } }: { readonly approval: DeployApproval }): ReactNode {
  if (ci?.url == null) return null;
  return (
    <p className={styles.line}>
      Pipeline: <OutsideLink to={ci.url} text={ci.url} />
    </p>
  );
}
