import { useMutation } from "@tanstack/react-query";
import { DownloadIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { DeployApproval, DeployFilter } from "../../api/deploy-approvals.ts";
import { readDeployApprovals } from "../../api/deploy-approvals.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { csvText } from "./csv-text.ts";

const rowsMost = 10_000;
const pageLength = 200;

async function everyMatch(filter: DeployFilter): Promise<readonly DeployApproval[]> {
  const found: DeployApproval[] = [];
  let cursor: string | undefined;
  do {
    const page = await readDeployApprovals({ ...filter, cursor, limit: pageLength });
    found.push(...page.deploy_approval_requests);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && found.length < rowsMost);
  return found;
}

/** Everything that matches the filters, newest first, as a file; the same rows that the reader may see on the page. */
export function CsvButton({ filter }: { readonly filter: DeployFilter }): ReactNode {
  const writing = useMutation({
    mutationFn: () => everyMatch(filter),
    onSuccess: (found) => {
      const address = URL.createObjectURL(new Blob([csvText(found)], { type: "text/csv" }));
      const link = document.createElement("a");
      link.href = address;
      link.download = "deploy-approvals.csv";
      link.click();
      URL.revokeObjectURL(address);
      announce(`${String(found.length)} requests written.`);
    },
  });
  return (
    <>
      <button
        type="button"
        className={classNames(controls.button, controls.quiet)}
        aria-disabled={writing.isPending}
        onClick={() => {
          if (!writing.isPending) writing.mutate();
        }}
      >
        <DownloadIcon size={16} aria-hidden="true" />
        CSV
      </button>
      <RefusedNote failure={writing.error} />
    </>
  );
}
