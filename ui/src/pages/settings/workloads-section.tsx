import { WorkflowIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { WorkloadProvider } from "../../api/machines.ts";
import { removeWorkloadProvider, useMachines, useWorkloadProviders } from "../../api/machines.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import { AdministeredList } from "../../parts/administered-list.tsx";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import type { RowAct } from "../../parts/row-acts.tsx";
import { RowActs } from "../../parts/row-acts.tsx";
import { ClaimsSheet } from "./claims-sheet.tsx";
import { WorkloadSheet } from "./workload-sheet.tsx";

/** Pipelines that prove who they are with a token of their own platform, so that no secret is kept for them. */
export function WorkloadsSection({ writes }: { readonly writes: boolean }): ReactNode {
  const providers = useWorkloadProviders();
  return (
    <AdministeredList
      title="Workload identity"
      list={providers}
      add={
        writes
          ? { word: "Add workload provider", sheet: (close) => <WorkloadSheet provider={null} onClose={close} /> }
          : null
      }
      none={
        <p className={listing.none}>
          None. Pipelines of GitHub, GitLab, CircleCI or Kubernetes need no stored token with one.
        </p>
      }
      row={(provider) => <WorkloadRow key={provider.id} provider={provider} writes={writes} />}
    />
  );
}

interface WorkloadRowProps {
  readonly provider: WorkloadProvider;
  readonly writes: boolean;
}

function WorkloadRow({ provider, writes }: WorkloadRowProps): ReactNode {
  const machine = useMachines().data?.find(({ id }) => id === provider.machine_id);
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
      <RowActs acts={[testing(provider), ...(writes ? changing(provider) : [])]} />
    </li>
  );
}

function testing(provider: WorkloadProvider): RowAct {
  return {
    word: "Test claims",
    label: `Test claims against ${provider.name}`,
    sheet: (close) => <ClaimsSheet provider={provider} onClose={close} />,
  };
}

function changing(provider: WorkloadProvider): readonly RowAct[] {
  return [
    { word: "Change", sheet: (close) => <WorkloadSheet provider={provider} onClose={close} /> },
    { word: "Remove", sheet: (close) => <RemoveSheet provider={provider} onClose={close} /> },
  ];
}

interface RemoveSheetProps {
  readonly provider: WorkloadProvider;
  readonly onClose: () => void;
}

function RemoveSheet({ provider, onClose }: RemoveSheetProps): ReactNode {
  return (
    <ActSheet
      title="Remove workload provider"
      verb="Remove"
      destructive
      done="The workload provider is removed."
      act={() => removeWorkloadProvider(provider.id)}
      onClose={onClose}
    >
      <p>
        Pipelines that come in by{" "}
        <strong>
          <OutsideText text={provider.name} />
        </strong>{" "}
        are refused from now on.
      </p>
    </ActSheet>
  );
}
