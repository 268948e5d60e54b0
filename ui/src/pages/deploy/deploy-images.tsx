import type { ReactNode } from "react";

import type { DeployApproval } from "../../api/deploy-approvals.ts";
import { OutsideText } from "../../parts/outside-text.tsx";
import styles from "./deploy-checks.module.css";
import { useDeployedBefore } from "./deployed-before.ts";
import type { ImageChange } from "./image-changes.ts";
import { imageChanges, isSameImage } from "./image-changes.ts";

/** Service by service: the image of the last deployment, and the one of this request. */
export function DeployImages({ approval }: { readonly approval: DeployApproval }): ReactNode {
  const before = useDeployedBefore(approval).approval?.images ?? [];
  if (approval.images.length === 0) return null;
  const isCompared = before.length > 0;
  return (
    <section aria-labelledby="images-title" className={styles.part}>
      <h2 id="images-title" className={styles.title}>
        Images
      </h2>
      <dl className={styles.images}>
        {imageChanges(before, approval.images).map((change) => (
          <div key={change.service} className={styles.image}>
            <dt>
              <OutsideText text={change.service} />
            </dt>
            <dd>
              <Change change={change} isCompared={isCompared} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface ChangeProps {
  readonly change: ImageChange;
  readonly isCompared: boolean;
}

function Change({ change, isCompared }: ChangeProps): ReactNode {
  const { old, now } = change;
  if (now === null) {
    return (
      <>
        {old !== null && <Was image={old} />} <span className={styles.quiet}>is no longer among them</span>
      </>
    );
  }
  if (!isCompared) return <Named image={now} />;
  if (isSameImage(change)) {
    return (
      <>
        <Named image={now} /> <span className={styles.quiet}>as deployed</span>
      </>
    );
  }
  return (
    <>
      {old === null ? <span className={styles.quiet}>new here</span> : <Was image={old} />}
      <span aria-hidden="true"> → </span>
      <span className="visually-hidden">becomes</span> <Named image={now} />
    </>
  );
}

interface NamedProps {
  readonly image: NonNullable<ImageChange["now"]>;
}

function Named({ image }: NamedProps): ReactNode {
  return (
    <>
      <Was image={image} />
      {image.digest === null && !image.built && <strong className={styles.reject}> tag only</strong>}
      {image.first_use && (
        <span className={styles.by}>First use: neither the commit nor the active build names this repository</span>
      )}
      {image.why_no_digest !== null && (
        <span className={styles.by}>
          <OutsideText text={image.why_no_digest} />
        </span>
      )}
    </>
  );
}

/** What ran needs no warning any more. */
function Was({ image: { image, digest, built } }: NamedProps): ReactNode {
  if (built) return <>built by the rack from the uploaded source</>;
  return (
    <code>
      <OutsideText text={digest === null || image.includes(digest) ? image : `${image}@${digest}`} />
    </code>
  );
}
