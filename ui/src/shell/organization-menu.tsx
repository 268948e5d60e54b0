import { BuildingIcon } from "lucide-react";
import type { ReactNode } from "react";

import { workIn } from "../api/chosen-organization.ts";
import type { Me } from "../api/session.ts";
import { classNames } from "../look/class-names.ts";
import controls from "../parts/controls.module.css";
import { Menu } from "../parts/menu.tsx";
import { OutsideText, visibleText } from "../parts/outside-text.tsx";
import styles from "./top-bar.module.css";

/** For people of more than one organization: where they are, and the others. Each tab is in one of them. */
export function OrganizationMenu({ me }: { readonly me: Me }): ReactNode {
  const here = me.organization;
  if (here === null || me.organizations.length < 2) return null;
  return (
    <Menu
      label={`Organization: ${visibleText(here.name)}`}
      className={classNames(controls.button, styles.organization)}
      items={me.organizations.map(({ id, name }) => ({
        key: id,
        word: visibleText(name),
        icon: BuildingIcon,
        checked: id === here.id,
        onSelect: () => {
          if (id !== here.id) workIn(id);
        },
      }))}
    >
      <BuildingIcon size={18} strokeWidth={1.75} aria-hidden="true" />
      <span className={styles.organizationName}>
        <OutsideText text={here.name} />
      </span>
    </Menu>
  );
}
