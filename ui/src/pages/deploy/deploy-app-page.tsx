import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { DeploySettings, SettingsPlace } from "../../api/deploy-settings.ts";
import { useDeploySettings } from "../../api/deploy-settings.ts";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { DryRun } from "./dry-run.tsx";
import { ImageTester } from "./image-tester.tsx";
import { SettingRow } from "./setting-row.tsx";
import type { SettingTab } from "./setting-words.ts";
import { appTabs } from "./setting-words.ts";

export function DeployAppPage(): ReactNode {
  const { rack, app } = useParams({ from: "/signed-in/deploy/apps/$rack/$app" });
  const { tab } = useSearch({ from: "/signed-in/deploy/apps/$rack/$app" });
  const navigate = useNavigate({ from: "/deploy/apps/$rack/$app" });
  const place: SettingsPlace = { rack, app };
  const settings = useDeploySettings(place);
  const ofRack = useDeploySettings({ rack, app: null });
  const shown = appTabs.find(({ value }) => value === tab)?.value ?? appTabs[0]?.value ?? "";
  return (
    <>
      <PageHead title={`${app} on ${rack}`} back={{ to: "/deploy/apps", word: "Apps" }} />
      <div className={listing.sheet}>
        <div>
          <h1>
            <OutsideText text={app} /> on <OutsideText text={rack} />
          </h1>
          <p className={listing.lead}>
            <Link to="/deploy" search={{ app, scope: rack }}>
              Deploy requests of this app
            </Link>
          </p>
        </div>
        <DryRun scope={rack} app={app} approvalsEnabled={ofRack.data?.["deploy_approvals_enabled"]?.value !== false} />
        {settings.isError && (
          <Failed what="The settings" failure={settings.error} onRetry={() => void settings.refetch()} />
        )}
        {settings.isPending && <Loading rows={6} label="settings" />}
        {settings.data !== undefined && (
          <section aria-label="Settings">
            <Tabs
              label="Settings of the app"
              shown={shown}
              onShow={(value) => {
                void navigate({ search: { tab: value }, replace: true });
              }}
              tabs={appTabs.map((each) => ({
                value: each.value,
                word: each.word,
                pane: () => <Pane tab={each} place={place} settings={settings.data} />,
              }))}
            />
          </section>
        )}
      </div>
    </>
  );
}

interface PaneProps {
  readonly tab: SettingTab;
  readonly place: SettingsPlace;
  readonly settings: DeploySettings;
}

function Pane({ tab, place, settings }: PaneProps): ReactNode {
  return (
    <>
      <ul className={listing.rows} aria-label={`${tab.word} settings`}>
        {tab.settings.map((words) => {
          const setting = settings[words.key];
          return setting === undefined ? null : (
            <SettingRow key={words.key} place={place} words={words} setting={setting} />
          );
        })}
      </ul>
      {tab.value === "images" && <ImageTester patterns={settings["service_image_patterns"]?.value ?? null} />}
    </>
  );
}
