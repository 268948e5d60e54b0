import type { ErrorComponentProps } from "@tanstack/react-router";
import { useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Failed } from "../parts/states.tsx";

/** The page as a whole could not be shown, for instance because the server did not answer. */
export function PageFailed({ error, reset }: ErrorComponentProps): ReactNode {
  const router = useRouter();
  return (
    <Failed
      what="This page"
      failure={error instanceof Error ? error : new Error("It failed for an unknown reason.")}
      onRetry={() => {
        reset();
        void router.invalidate();
      }}
    />
  );
}
