import type { ReactNode } from "react";

import { useRoles } from "../../api/people.ts";
import listing from "../../parts/listing.module.css";
import { roleWord } from "../../parts/role-words.ts";
import { Failed, Loading } from "../../parts/states.tsx";

interface RoleChoiceProps {
  readonly chosen: readonly string[];
  readonly onChange: (roles: readonly string[]) => void;
}

/** Roles with what they mean. Which of them may be given is the server's decision (identity R-ROLE-3). */
export function RoleChoice({ chosen, onChange }: RoleChoiceProps): ReactNode {
  const roles = useRoles();
  if (roles.isError) return <Failed what="The roles" failure={roles.error} />;
  if (roles.data === undefined) return <Loading rows={3} label="roles" />;
  return (
    <fieldset>
      <legend className={listing.legend}>Roles</legend>
      <div className={listing.checks}>
        {roles.data
          .filter((role) => role.holder === "person" || chosen.includes(role.name))
          .map((role) => (
            <label key={role.name} className={listing.choice}>
              <input
                type="checkbox"
                checked={chosen.includes(role.name)}
                onChange={(event) => {
                  onChange(event.target.checked ? [...chosen, role.name] : chosen.filter((each) => each !== role.name));
                }}
              />
              <span>{roleWord(role.name)}</span>
              <small>{role.meaning}</small>
            </label>
          ))}
      </div>
    </fieldset>
  );
}
