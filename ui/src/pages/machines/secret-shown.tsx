import type { ReactNode } from "react";

import type { MadeToken } from "../../api/machines.ts";
import { TokenShown } from "../../parts/token-shown.tsx";

interface SecretShownProps {
  readonly made: MadeToken;
  readonly onClose: () => void;
}

export function SecretShown({ made, onClose }: SecretShownProps): ReactNode {
  return (
    <TokenShown
      token={made.secret}
      advice="Put it where the machine keeps its secrets. It is shown this once; lost, it can only be rotated."
      command={`curl -H "Authorization: Bearer ${made.secret}" ${window.location.origin}/v1/me`}
      onClose={onClose}
    />
  );
}
