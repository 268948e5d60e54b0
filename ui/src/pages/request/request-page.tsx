import { useLocation, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useCallback } from "react";

import { PageHead } from "../../shell/page-head.tsx";
import { useShortcuts } from "../../shell/shortcuts.ts";
import { RequestView } from "./request-view.tsx";

export function RequestPage(): ReactNode {
  const { id } = useParams({ from: "/signed-in/requests/$id" });
  const { decide } = useSearch({ from: "/signed-in/requests/$id" });
  const from = useLocation({ select: (location) => location.state.from });
  const navigate = useNavigate({ from: "/requests/$id" });
  const setIntent = useCallback(
    (intent: "approve" | "reject" | undefined) => {
      void navigate({ search: (before) => ({ ...before, decide: intent }), state: true, replace: true });
    },
    [navigate],
  );
  const onIntentTaken = useCallback(() => {
    setIntent(undefined);
  }, [setIntent]);
  useShortcuts({
    a: () => {
      setIntent("approve");
    },
    r: () => {
      setIntent("reject");
    },
  });
  return (
    <>
      <PageHead
        title="Request"
        back={from === "inbox" ? { to: "/inbox", word: "Inbox" } : { to: "/requests", word: "Requests" }}
      />
      <RequestView key={id} id={id} intent={decide} onIntentTaken={onIntentTaken} />
    </>
  );
}
