import { ServerIcon } from "lucide-react";
import type { ReactNode } from "react";

import { Refusal } from "../../api/call.ts";
import type { DeployRack } from "../../api/deploy-racks.ts";
import { useDeployInfo, useRackSystem } from "../../api/deploy-racks.ts";
import { useDeploySettings } from "../../api/deploy-settings.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { Digest } from "../../parts/digest.tsx";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { DeployNav } from "./deploy-nav.tsx";
import { SettingRow } from "./setting-row.tsx";
import { rackSettings } from "./setting-words.ts";

/** R-UI-7: which racks there are, whether they answer, and what holds for everything on them. */
export function RacksPage(): ReactNode {
  const info = useDeployInfo();
  return (
    <>
      <PageHead title="Racks" />
      <DeployNav />
      <div className={listing.sheet}>
        {info.isError && <Failed what="The racks" failure={info.error} onRetry={() => void info.refetch()} />}
        {info.isPending && <Loading rows={2} label="racks" />}
        {info.data?.racks.length === 0 && (
          <p className={listing.none}>
            No rack is connected. The server reads <code>RACK_HOST</code> and <code>RACK_TOKEN</code>, or the racks of
            its configuration file.
          </p>
        )}
        {info.data?.racks.map((rack) => (
          <RackSection key={rack.name} rack={rack} />
        ))}
      </div>
    </>
  );
}

function RackSection({ rack }: { readonly rack: DeployRack }): ReactNode {
  const id = `rack-${rack.name}`;
  const settings = useDeploySettings({ rack: rack.name, app: null });
  return (
    <section className={listing.section} aria-labelledby={id}>
      <div className={listing.head}>
        <h2 id={id} className={listing.title}>
          <OutsideText text={rack.display_name === "" ? rack.name : rack.display_name} />
        </h2>
      </div>
      <RackState rack={rack} />
      {settings.isError && <Failed what="The settings" failure={settings.error} />}
      <ul className={listing.rows} aria-label={`Settings of ${rack.name}`}>
        {rackSettings.map((words) => {
          const setting = settings.data?.[words.key];
          return setting === undefined ? null : (
            <SettingRow key={words.key} place={{ rack: rack.name, app: null }} words={words} setting={setting} />
          );
        })}
      </ul>
    </section>
  );
}

function RackState({ rack }: { readonly rack: DeployRack }): ReactNode {
  const system = useRackSystem(rack.name, rack.enabled);
  return (
    <div className={listing.row}>
      <ServerIcon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
      <div className={listing.what}>
        <p className={listing.name}>
          <code>
            <OutsideText text={rack.name} />
          </code>
          <Reachable rack={rack} failure={system.error} answered={system.data !== undefined} />
        </p>
        <p className={listing.about}>
          <span>
            <OutsideText text={rack.host} />
          </span>
          <span>{tlsWord(rack)}</span>
          {system.data !== undefined && (
            <span>
              <OutsideText text={versionOf(system.data)} />
            </span>
          )}
          {system.error !== null && (
            <span>
              <OutsideText text={system.error.message} />
            </span>
          )}
        </p>
        {rack.tls === "pin" && (
          <p className={listing.about}>
            {rack.fingerprint === null ? (
              <span>no certificate was seen yet: the first one is kept</span>
            ) : (
              <span>
                certificate <Digest digest={`sha256:${rack.fingerprint}`} />
              </span>
            )}
          </p>
        )}
      </div>
      {rack.enabled && (
        <div className={listing.acts}>
          <button
            type="button"
            className={classNames(controls.button, controls.small)}
            aria-disabled={system.isFetching}
            onClick={() => void system.refetch()}
          >
            {system.isFetching ? "Asking…" : "Ask again"}
          </button>
        </div>
      )}
    </div>
  );
}

interface ReachableProps {
  readonly rack: DeployRack;
  readonly failure: Error | null;
  readonly answered: boolean;
}

function Reachable({ rack, failure, answered }: ReachableProps): ReactNode {
  if (!rack.enabled) return <span className={listing.badge}>switched off</span>;
  if (failure instanceof Refusal && failure.status < 500)
    return <span className={listing.badge}>not yours to ask</span>;
  if (failure !== null) return <span className={classNames(listing.badge, listing.bad)}>not reachable</span>;
  return <span className={listing.badge}>{answered ? "reachable" : "asking…"}</span>;
}

const tlsWords: Readonly<Record<string, string>> = {
  system: "TLS, certificate verified",
  pin: "TLS, certificate pinned",
  insecure: "TLS, certificate not verified",
};

function tlsWord({ host, tls }: DeployRack): string {
  return host.startsWith("http://") ? "without TLS" : (tlsWords[tls] ?? tls);
}

function versionOf(system: Readonly<Record<string, unknown>>): string {
  const words = ["version", "status", "provider", "region"].flatMap((name) => {
    const value = system[name];
    return typeof value === "string" && value !== "" ? [`${name} ${value}`] : [];
  });
  return words.join(", ");
}
