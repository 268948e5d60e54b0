/** `countersign setup-link`: the link by which the first administrator comes in; it replaces the one before. */
import { ConfigFault, loadConfig } from "../main/config.ts";
import { faultSentence } from "../main/fault-sentence.ts";
import { newSetupLink } from "../main/new-setup-link.ts";
import { StartRefused } from "../main/start-refused.ts";
import { CannotVerify } from "../main/verify-database.ts";

export interface SetupLinkFlags {
  readonly data?: string;
  readonly database?: string;
  readonly json?: true;
}

/** The exit status: 0 made, 1 there is an administrator already, 2 it could not be done. */
export async function setupLink(flags: SetupLinkFlags): Promise<number> {
  try {
    const loaded = loadConfig(process.env, {
      "countersign.data_dir": flags.data,
      "countersign.database_url": flags.database,
    });
    const link = await newSetupLink(loaded, process.env);
    if (flags.json === true) console.log(JSON.stringify({ link }));
    else console.log(link ?? "This installation has its administrator: ask them for an invitation.");
    return link === null ? 1 : 0;
  } catch (error) {
    console.error(sentenceOf(error));
    return 2;
  }
}

function sentenceOf(error: unknown): unknown {
  if (error instanceof ConfigFault || error instanceof CannotVerify) return error.message;
  if (error instanceof StartRefused) return `${error.message} (${error.code})`;
  return faultSentence(error) ?? error;
}
