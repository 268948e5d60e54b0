import { WorkflowIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import type { WorkloadProvider } from "../../api/machines.ts";
import { removeWorkloadProvider, useMachines, useWorkloadProviders } from "../../api/machines.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { WorkloadSheet } from "./workload-sheet.tsx";

/** Pipelines that prove who they are with a token of their own platform, so that no secret is kept for them. */
export function WorkloadsSection({ writes }: { readonly writes: boolean }): ReactNode {
  const providers = useWorkloadProviders();
  const [adding, setAdding] = useState(false);
  return (
    <section className={listing.section} aria-labelledby="workloads-title">
      <div className={listing.head}>
        <h2 id="workloads-title" className={listing.title}>
          Workload identity
        </h2>
        {writes && (
          <button
            type="button"
            className={controls.button}
            onClick={() => {
              setAdding(true);
            }}
          >
            Add workload provider
          </button>
        )}
      </div>
      {providers.isError && (
        <Failed what="The workload providers" failure={providers.error} onRetry={() => void providers.refetch()} />
      )}
      {providers.isPending && <Loading rows={1} label="workload providers" />}
      {providers.data?.length === 0 && (
        <p className={listing.none}>
          None. Pipelines of GitHub, GitLab, CircleCI or Kubernetes need no stored token with one.
        </p>
      )}
      <ul className={listing.rows} aria-label="Workload providers">
        {providers.data?.map((provider) => (
          <WorkloadRow key={provider.id} provider={provider} writes={writes} />
        ))}
      </ul>
      {adding && (
        <WorkloadSheet
          provider={null}
          onClose={() => {
            setAdding(false);
          }}
        />
      )}
    </section>
  );
}

interface WorkloadRowProps {
  readonly provider: WorkloadProvider;
  readonly writes: boolean;
}

function WorkloadRow({ provider, writes }: WorkloadRowProps): ReactNode {
  const [sheet, setSheet] = useState<"change" | "remove" | null>(null);
  const machine = useMachines().data?.find(({ id }) => id === provider.machine_id);
  const close = (): void => {
    setSheet(null);
  };
  return (
    <li className={listing.row}>
      <WorkflowIcon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
      <div className={listing.what}>
        <p className={listing.name}>
          <OutsideText text={provider.name} />
          {!provider.enabled && <span className={listing.badge}>switched off</span>}
        </p>
        <p className={listing.about}>
          <span>{provider.preset}</span>
          <span>
            as <OutsideText text={machine?.name ?? "a machine"} />
          </span>
          <span>
            <OutsideText text={provider.subjects.join(", ")} />
          </span>
        </p>
      </div>
      {writes && (
        <div className={listing.acts}>
          <button
            type="button"
            className={classNames(controls.button, controls.small, controls.quiet)}
            onClick={() => {
              setSheet("change");
            }}
          >
            Change
          </button>
          <button
            type="button"
            className={classNames(controls.button, controls.small, controls.quiet)}
            onClick={() => {
              setSheet("remove");
            }}
          >
            Remove
          </button>
        </div>
      )}
      {sheet === "change" && <WorkloadSheet provider={provider} onClose={close} />}
      {sheet === "remove" && (
        <ActSheet
          title="Remove workload provider"
          verb="Remove"
          destructive
          done="The workload provider is removed."
          act={() => removeWorkloadProvider(provider.id)}
          onClose={close}
        >
          <p>
            Pipelines that come in by{" "}
            <strong>
              <OutsideText text={provider.name} />
            </strong>{" "}
            are refused from now on.
          </p>
        </ActSheet>
      )}
    </li>
  );
}
