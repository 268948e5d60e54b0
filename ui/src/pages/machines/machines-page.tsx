import { useQuery } from "@tanstack/react-query";
import { BotIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { Machine } from "../../api/machines.ts";
import { retireMachine, useMachines } from "../../api/machines.ts";
import { may, meQuery } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import { AdministeredList } from "../../parts/administered-list.tsx";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RowActs } from "../../parts/row-acts.tsx";
import { Empty } from "../../parts/states.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { machineKindWord } from "./machine-words.ts";
import { MachineSheet } from "./machine-sheet.tsx";

/** What acts here without being a person. None of them decides. */
export function MachinesPage(): ReactNode {
  const me = useQuery(meQuery).data;
  const machines = useMachines();
  const writes = me !== undefined && may(me, "org:machine:write");
  return (
    <>
      <PageHead title="Machines" />
      <div className={listing.sheet}>
        <AdministeredList
          title="Machines"
          lead="Pipelines, services and agents. They ask and act with tokens; none of them can approve anything."
          list={machines}
          add={
            writes ? { word: "Add machine", sheet: (close) => <MachineSheet machine={null} onClose={close} /> } : null
          }
          none={
            <Empty title="No machine yet">
              <p>
                A pipeline or service that asks for approvals is added here; its tokens are made on the Tokens page.
              </p>
            </Empty>
          }
          row={(machine) => <MachineRow key={machine.id} machine={machine} writes={writes} />}
        />
      </div>
    </>
  );
}

interface MachineRowProps {
  readonly machine: Machine;
  readonly writes: boolean;
}

function MachineRow({ machine, writes }: MachineRowProps): ReactNode {
  const retired = machine.disabled_at !== null;
  return (
    <li className={listing.row}>
      <BotIcon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
      <div className={listing.what}>
        <p className={listing.name}>
          <OutsideText text={machine.name} />
          {retired && <span className={listing.badge}>retired</span>}
          {!retired && !machine.owner_active && (
            <span className={classNames(listing.badge, listing.bad)}>refused: no active owner</span>
          )}
        </p>
        <p className={listing.about}>
          <span>{machineKindWord(machine.kind)}</span>
          <span>
            <OutsideText text={ownersLine(machine)} />
          </span>
          <span>{machine.live_tokens === 1 ? "1 live token" : `${String(machine.live_tokens)} live tokens`}</span>
        </p>
      </div>
      {writes && !retired && (
        <RowActs
          acts={[
            { word: "Change", sheet: (close) => <MachineSheet machine={machine} onClose={close} /> },
            { word: "Retire", sheet: (close) => <RetireSheet machine={machine} onClose={close} /> },
          ]}
        />
      )}
    </li>
  );
}

interface RetireSheetProps {
  readonly machine: Machine;
  readonly onClose: () => void;
}

function RetireSheet({ machine, onClose }: RetireSheetProps): ReactNode {
  return (
    <ActSheet
      title="Retire machine"
      verb="Retire"
      destructive
      confirmName={machine.name}
      done="The machine is retired."
      act={() => retireMachine(machine.id)}
      onClose={onClose}
    >
      <p>
        <strong>
          <OutsideText text={machine.name} />
        </strong>{" "}
        and all its tokens are refused from now on. This cannot be undone; what it did stays in the ledger.
      </p>
    </ActSheet>
  );
}

function ownersLine(machine: Machine): string {
  const named = (id: string): string => {
    const person = machine.people.find((each) => each.id === id);
    return person?.name ?? person?.assignee ?? "somebody unknown";
  };
  if (machine.owners.length > 0) return `owned by ${machine.owners.map(named).join(", ")}`;
  return machine.contact_id === null ? "service account" : `service account, contact ${named(machine.contact_id)}`;
}
