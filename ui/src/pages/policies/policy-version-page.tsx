import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Refusal } from "../../api/call.ts";
import type { Policy } from "../../api/policies.ts";
import { usePolicy, useVersions } from "../../api/policies.ts";
import { may, meQuery } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import { Digest } from "../../parts/digest.tsx";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { StatusMark } from "../../parts/status-mark.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { NotFoundPage } from "../not-found-page.tsx";
import { ActivationButton } from "./activation-button.tsx";
import { PolicyJson } from "./policy-json.tsx";
import { PolicyStages } from "./policy-stages.tsx";
import styles from "./policy-version-page.module.css";
import { hours } from "./policy-words.ts";

export function PolicyVersionPage(): ReactNode {
  const { key, version } = useParams({ from: "/signed-in/policies/$key/$version" });
  const policy = usePolicy(key, Number(version));
  return (
    <>
      <PageHead title={`${key} v${version}`} back={{ to: "/policies", word: "Policies" }} />
      {policy.isError && <Unavailable failure={policy.error} onRetry={() => void policy.refetch()} />}
      {policy.isPending && <Loading rows={6} label="the policy" />}
      {policy.data !== undefined && <PolicySheet policy={policy.data} />}
    </>
  );
}

function Unavailable({ failure, onRetry }: { readonly failure: Error; readonly onRetry: () => void }): ReactNode {
  if (failure instanceof Refusal && (failure.status === 404 || failure.status === 422)) return <NotFoundPage />;
  return <Failed what="The policy" failure={failure} onRetry={onRetry} />;
}

function PolicySheet({ policy }: { readonly policy: Policy }): ReactNode {
  const me = useQuery(meQuery).data;
  const admin = me !== undefined && may(me, "approval:policy:activate") && !me.quarantined;
  return (
    <article className={styles.sheet}>
      <header>
        <p className={styles.type}>
          <OutsideText text={policy.artifact_type} />
        </p>
        <div className={styles.titleLine}>
          <h1 className={styles.title}>
            <OutsideText text={policy.name} />
          </h1>
          {admin && <ActivationButton policy={policy} />}
        </div>
        {policy.description !== null && (
          <p className={styles.description}>
            <OutsideText text={policy.description} />
          </p>
        )}
        <Facts policy={policy} />
      </header>
      <div className={styles.columns}>
        <div className={styles.main}>
          <Problems policy={policy} />
          <PolicyStages policy={policy} />
          <PolicyJson policy={policy} />
        </div>
        <Versions policy={policy} />
      </div>
    </article>
  );
}

function Facts({ policy }: { readonly policy: Policy }): ReactNode {
  return (
    <dl className={styles.facts}>
      <Fact word="Version">
        <span className={styles.versionFact}>
          v{policy.version} <StatusMark status={policy.status} />
        </span>
      </Fact>
      <Fact word="Separation of duties">{dutySentence(policy)}</Fact>
      <Fact word="Sign-in needed">{policy.assurance ?? "session"}</Fact>
      <Fact word="Life of a request">
        {policy.request_ttl_hours === null ? "as the server's default" : hours(policy.request_ttl_hours)}
      </Fact>
      {policy.digest !== null && (
        <Fact word="Digest">
          <Digest digest={policy.digest} />
        </Fact>
      )}
    </dl>
  );
}

function Fact({ word, children }: { readonly word: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function dutySentence(policy: Policy): string {
  const rules = [
    policy.forbid_self_approval ? "not by the requester" : "the requester may sign",
    policy.forbid_repeat_approvers ? "nobody in two stages" : null,
    policy.forbidden_approvers.length > 0 ? `not by whoever ${policy.forbidden_approvers.join(", ")} names` : null,
  ];
  return rules.filter((rule) => rule !== null).join("; ");
}

function Problems({ policy }: { readonly policy: Policy }): ReactNode {
  if (policy.problems.length === 0) return null;
  const errors = policy.problems.filter((problem) => problem.severity === "error").length;
  return (
    <section className={classNames(styles.problems, errors > 0 && styles.errors)} aria-label="Problems">
      <h2 className={styles.subtitle}>{errors > 0 ? "This version cannot be activated" : "Worth knowing"}</h2>
      <ul>
        {policy.problems.map((problem, index) => (
          <li key={index}>
            <strong className={problem.severity === "error" ? styles.error : undefined}>
              {problem.severity === "error" ? "Error" : "Warning"}:
            </strong>{" "}
            <OutsideText text={problem.message} />{" "}
            <code>
              <OutsideText text={problem.path === "" ? problem.code : problem.path} />
            </code>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Versions({ policy }: { readonly policy: Policy }): ReactNode {
  const versions = useVersions(policy.policy_key);
  return (
    <nav aria-labelledby="versions-title" className={styles.versions}>
      <h2 id="versions-title" className={styles.subtitle}>
        Versions
      </h2>
      <ul>
        {(versions.data ?? []).map((version) => (
          <li key={version.version}>
            <Link
              to="/policies/$key/$version"
              params={{ key: policy.policy_key, version: String(version.version) }}
              className={styles.versionRow}
              activeProps={{ "aria-current": "page" }}
            >
              <span>v{version.version}</span>
              <StatusMark status={version.status} />
              <span className={styles.quiet}>
                <Moment at={version.created_at} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      <p className={styles.quiet}>
        Made by <OutsideText text={policy.created_by ?? "unknown"} />
        {policy.updated_by !== null && policy.updated_by !== policy.created_by && (
          <>
            , last changed by <OutsideText text={policy.updated_by} />
          </>
        )}
        {policy.activated_at !== null && (
          <>
            , activated <Moment at={policy.activated_at} reachable />
          </>
        )}
      </p>
    </nav>
  );
}
