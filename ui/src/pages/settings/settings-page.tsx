import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { may, meQuery } from "../../api/session.ts";
import listing from "../../parts/listing.module.css";
import { Empty } from "../../parts/states.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { OrganizationSettings } from "./organization-settings.tsx";
import { ProvidersSection } from "./providers-section.tsx";
import { WorkloadsSection } from "./workloads-section.tsx";

const readings = ["org:setting:read", "org:identity_provider:read", "org:workload:read"] as const;

export function SettingsPage(): ReactNode {
  const me = useQuery(meQuery).data;
  return (
    <>
      <PageHead title="Settings" />
      <div className={listing.sheet}>
        {me !== undefined && (
          <>
            {!readings.some((permission) => may(me, permission)) && (
              <Empty title="No settings for you">Administrators see and change them here.</Empty>
            )}
            {may(me, "org:setting:read") && <OrganizationSettings writes={may(me, "org:setting:write")} />}
            {may(me, "org:identity_provider:read") && (
              <ProvidersSection writes={may(me, "org:identity_provider:write")} />
            )}
            {may(me, "org:workload:read") && <WorkloadsSection writes={may(me, "org:workload:write")} />}
          </>
        )}
      </div>
    </>
  );
}
