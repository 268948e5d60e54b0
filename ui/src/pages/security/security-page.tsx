import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { meQuery } from "../../api/session.ts";
import listing from "../../parts/listing.module.css";
import { PageHead } from "../../shell/page-head.tsx";
import { BackupCodesSection } from "./backup-codes-section.tsx";
import { FactorsSection } from "./factors-section.tsx";
import { PasswordSection } from "./password-section.tsx";
import { DevicesSection, IdentitiesSection, SessionsSection } from "./access-sections.tsx";

/** How a person proves who they are, and where they are signed in. All of it is their own. */
export function SecurityPage(): ReactNode {
  const me = useQuery(meQuery).data;
  return (
    <>
      <PageHead title="Security" />
      <div className={listing.sheet}>
        {me !== undefined && (
          <>
            <FactorsSection />
            <BackupCodesSection />
            <PasswordSection me={me} />
            <SessionsSection />
            <DevicesSection />
            <IdentitiesSection />
          </>
        )}
      </div>
    </>
  );
}
