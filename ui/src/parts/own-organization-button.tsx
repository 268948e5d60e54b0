import type { ReactNode } from "react";

import { chosenOrganization, workIn } from "../api/chosen-organization.ts";
import { classNames } from "../look/class-names.ts";
import controls from "./controls.module.css";

/** The way back from an organization that was chosen and lets nobody in any more; nothing where none was chosen. */
export function OwnOrganizationButton(): ReactNode {
  if (chosenOrganization() === null) return null;
  return (
    <button
      type="button"
      className={classNames(controls.button, controls.small)}
      onClick={() => {
        workIn(null);
      }}
    >
      Go to my own organization
    </button>
  );
}
