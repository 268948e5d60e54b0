import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { SlackConnection } from "../../api/deploy-integrations.ts";
import { setSlackAlerts, useSlackChannels } from "../../api/deploy-integrations.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import { Choice } from "../../parts/choice.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { Failed } from "../../parts/states.tsx";

interface SlackSheetProps {
  readonly slack: SlackConnection;
  readonly onClose: () => void;
}

export function SlackSheet({ slack, onClose }: SlackSheetProps): ReactNode {
  const client = useQueryClient();
  const channels = useSlackChannels();
  const [channel, setChannel] = useState(slack.deploy_approvals_channel_id ?? "");
  const [told, setTold] = useState(slack.deploy_approvals_enabled);
  const saving = useMutation({
    mutationFn: () => setSlackAlerts(told, channel === "" ? null : channel),
    onSuccess: async () => {
      announce("Saved.");
      await client.invalidateQueries({ queryKey: ["deploy-slack"] });
      onClose();
    },
  });
  return (
    <Sheet title="Slack" onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!saving.isPending) saving.mutate();
        }}
      >
        {channels.isError && <Failed what="The channels" failure={channels.error} />}
        <Choice
          label="Channel"
          none="none chosen"
          value={channel}
          options={(channels.data?.channels ?? []).map(({ id, name }) => ({ value: id, word: `#${name}` }))}
          onChange={(chosen) => {
            setChannel(chosen ?? "");
          }}
        />
        <label className={controls.check}>
          <input
            type="checkbox"
            checked={told}
            onChange={(event) => {
              setTold(event.target.checked);
            }}
          />
          Tell it about deploy requests
        </label>
        <RefusedNote failure={saving.error} />
        <div className={listing.buttons}>
          <button type="button" className={controls.button} onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className={classNames(controls.button, controls.primary)}
            aria-disabled={saving.isPending}
          >
            Save
          </button>
        </div>
      </form>
    </Sheet>
  );
}
