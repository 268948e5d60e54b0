import { useQuery } from "@tanstack/react-query";
import { BotIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Machine } from "../../api/machines.ts";
import { retireMachine, useMachines } from "../../api/machines.ts";
import { may, meQuery } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { machineKindWord } from "./machine-words.ts";
import { MachineSheet } from "./machine-sheet.tsx";

/** What acts here without being a person. None of them decides. */
export function MachinesPage(): ReactNode {
  const me = useQuery(meQuery).data;
  const machines = useMachines();
  const [adding, setAdding] = useState(false);
  const writes = me !== undefined && may(me, "org:machine:write");
  return (
    <>
      <PageHead title="Machines" />
      <div className={listing.sheet}>
        <section className={listing.section} aria-label="Machines">
          <div className={listing.head}>
            <p className={listing.lead}>
              Pipelines, services and agents. They ask and act with tokens; none of them can approve anything.
            </p>
            {writes && (
              <button
                type="button"
                className={classNames(controls.button, controls.primary)}
                onClick={() => {
                  setAdding(true);
                }}
              >
                Add machine
              </button>
            )}
          </div>
          {machines.isError && (
            <Failed what="The machines" failure={machines.error} onRetry={() => void machines.refetch()} />
          )}
          {machines.isPending && <Loading label="machines" />}
          {machines.data?.length === 0 && (
            <Empty title="No machine yet">
              <p>
                A pipeline or service that asks for approvals is added here; its tokens are made on the Tokens page.
              </p>
            </Empty>
          )}
          <ul className={listing.rows} aria-label="Machines">
            {machines.data?.map((machine) => (
              <MachineRow key={machine.id} machine={machine} writes={writes} />
            ))}
          </ul>
        </section>
      </div>
      {adding && (
        <MachineSheet
          machine={null}
          onClose={() => {
            setAdding(false);
          }}
        />
      )}
    </>
  );
}

interface MachineRowProps {
  readonly machine: Machine;
  readonly writes: boolean;
}

function MachineRow({ machine, writes }: MachineRowProps): ReactNode {
  const [sheet, setSheet] = useState<"change" | "retire" | null>(null);
  const retired = machine.disabled_at !== null;
  const close = (): void => {
    setSheet(null);
  };
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
              setSheet("retire");
            }}
          >
            Retire
          </button>
        </div>
      )}
      {sheet === "change" && <MachineSheet machine={machine} onClose={close} />}
      {sheet === "retire" && (
        <ActSheet
          title="Retire machine"
          verb="Retire"
          destructive
          confirmName={machine.name}
          done="The machine is retired."
          act={() => retireMachine(machine.id)}
          onClose={close}
        >
          <p>
            <strong>
              <OutsideText text={machine.name} />
            </strong>{" "}
            and all its tokens are refused from now on. This cannot be undone; what it did stays in the ledger.
          </p>
        </ActSheet>
      )}
    </li>
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
