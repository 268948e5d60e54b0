import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useCallback } from "react";

import { useInbox } from "../../api/inbox.ts";
import { distinctOptions, FilterBar } from "../../parts/filter-bar.tsx";
import type { InboxSearch } from "./inbox-search.ts";

export function InboxFilters({ search }: { readonly search: InboxSearch }): ReactNode {
  const navigate = useNavigate({ from: "/inbox" });
  const items = useInbox({ state: "open" }).data?.items ?? [];
  const onChange = useCallback(
    (name: string, value: string | undefined) => {
      void navigate({ search: (before) => ({ ...before, cursor: undefined, [name]: value }), replace: true });
    },
    [navigate],
  );
  return (
    <FilterBar
      fields={[
        { name: "q", label: "Search", value: search.q, kind: "search" },
        {
          name: "type",
          label: "Artifact type",
          value: search.type,
          kind: "text",
          options: distinctOptions(items.map((item) => item.artifact_type)),
        },
        {
          name: "policy",
          label: "Policy",
          value: search.policy,
          kind: "text",
          options: distinctOptions(items.map((item) => item.policy_key)),
        },
      ]}
      onChange={onChange}
      onClear={() => {
        void navigate({ search: { tab: search.tab, open: search.open } });
      }}
    />
  );
}
