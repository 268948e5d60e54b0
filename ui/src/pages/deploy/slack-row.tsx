import { useMutation } from "@tanstack/react-query";
import { MessageSquareIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { SlackConnection } from "../../api/deploy-integrations.ts";
import { beginSlack, endSlack, testSlack, useSlack } from "../../api/deploy-integrations.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { RowActs } from "../../parts/row-acts.tsx";
import { Tested } from "../../parts/tested.tsx";
import { SlackSheet } from "./slack-sheet.tsx";

interface SlackRowProps {
  /** The server knows Slack’s client id and secret. */
  readonly isSetUp: boolean;
  readonly manages: boolean;
}

/** R-SLACK-1: the workspace is connected at Slack itself; here is said where messages go, and whether one arrives. */
export function SlackRow({ isSetUp, manages }: SlackRowProps): ReactNode {
  const slack = useSlack(isSetUp && manages).data;
  const testing = useMutation({ mutationFn: (channel: string) => testSlack(channel) });
  return (
    <li className={listing.row}>
      <MessageSquareIcon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
      <div className={listing.what}>
        <p className={listing.name}>
          Slack
          <span className={listing.badge}>{stateWord(isSetUp, slack)}</span>
        </p>
        <p className={listing.about}>
          <span>tells a channel about requests</span>
          {slack?.connected === true ? (
            <span>
              <OutsideText text={slack.team_name ?? "a workspace"} />, <OutsideText text={channelWords(slack)} />
            </span>
          ) : (
            <span>
              the server reads <code>SLACK_CLIENT_ID</code>
            </span>
          )}
        </p>
        {testing.isSuccess && <Tested ok>The message was posted.</Tested>}
        <RefusedNote failure={testing.error} />
      </div>
      {slack !== undefined && manages && (
        <SlackActs
          slack={slack}
          testing={testing.isPending}
          onTest={(channel) => {
            testing.mutate(channel);
          }}
        />
      )}
    </li>
  );
}

function stateWord(isSetUp: boolean, slack: SlackConnection | undefined): string {
  if (slack?.connected === true) return "connected";
  return isSetUp ? "set up" : "not connected";
}

function channelWords({
  deploy_approvals_enabled: told,
  deploy_approvals_channel_id: channel,
}: SlackConnection): string {
  if (channel === null) return "no channel chosen";
  return told ? `told in ${channel}` : `channel ${channel}, switched off`;
}

interface SlackActsProps {
  readonly slack: SlackConnection;
  readonly testing: boolean;
  readonly onTest: (channel: string) => void;
}

function SlackActs({ slack, testing, onTest }: SlackActsProps): ReactNode {
  const { connected, deploy_approvals_channel_id: channel } = slack;
  const beginning = useMutation({
    mutationFn: beginSlack,
    onSuccess: (address) => {
      window.location.assign(address);
    },
  });
  if (!connected) {
    return (
      <div className={listing.acts}>
        <RefusedNote failure={beginning.error} />
        <button
          type="button"
          className={classNames(controls.button, controls.small)}
          aria-disabled={beginning.isPending}
          onClick={() => {
            if (!beginning.isPending) beginning.mutate();
          }}
        >
          Connect
        </button>
      </div>
    );
  }
  return (
    <RowActs
      acts={[
        { word: "Change", label: "Change Slack", sheet: (close) => <SlackSheet slack={slack} onClose={close} /> },
        { word: "Disconnect", label: "Disconnect Slack", sheet: (close) => <EndSheet onClose={close} /> },
      ]}
    >
      {channel !== null && (
        <button
          type="button"
          className={classNames(controls.button, controls.small)}
          aria-label="Test Slack"
          aria-disabled={testing}
          onClick={() => {
            if (!testing) onTest(channel);
          }}
        >
          {testing ? "Testing…" : "Test"}
        </button>
      )}
    </RowActs>
  );
}

function EndSheet({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <ActSheet
      title="Disconnect Slack"
      verb="Disconnect"
      destructive
      done="Slack is disconnected."
      act={endSlack}
      onClose={onClose}
    >
      <p>Nothing is told there any more, and the token is given back to Slack.</p>
    </ActSheet>
  );
}
