/** Is this browser to be trusted along with another act? That has a call of its own, which is said (docs/spec/deploy.md 11.2, D39). */
import { problem, type Problem } from "../problem.ts";

export function deviceFault({
  trust_device: asked,
}: {
  readonly trust_device?: boolean | null | undefined;
}): Problem | null {
  if (asked !== true) return null;
  return problem(
    "invalid_input",
    "trust_device is not taken here: POST /auth/mfa/trusted-devices/trust trusts this browser",
  );
}
