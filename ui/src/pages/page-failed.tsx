import type { ErrorComponentProps } from "@tanstack/react-router";
import { useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { isShutOut } from "../api/session.ts";
import { OwnOrganizationButton } from "../parts/own-organization-button.tsx";
import { Failed } from "../parts/states.tsx";

/** The page as a whole could not be shown, for instance because the server did not answer. */
export function PageFailed({ error, reset }: ErrorComponentProps): ReactNode {
  const router = useRouter();
  const failure = error instanceof Error ? error : new Error("It failed for an unknown reason.");
  return (
    <Failed
      what="This page"
      failure={failure}
      onRetry={() => {
        reset();
        void router.invalidate();
      }}
    >
      {isShutOut(failure) && <OwnOrganizationButton />}
    </Failed>
  );
}
