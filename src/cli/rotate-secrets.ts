/** `countersign secrets rotate`: 0 done, 1 some secrets could not be opened, 2 it could not be done. */
import { ConfigFault, loadConfig } from "../main/config.ts";
import { faultSentence } from "../main/fault-sentence.ts";
import { rotateSecrets, type RotatedSecrets } from "../main/rotate-secrets.ts";
import { StartRefused } from "../main/start-refused.ts";
import { CannotVerify } from "../main/verify-database.ts";

export interface RotateSecretsFlags {
  readonly data?: string;
  readonly database?: string;
  readonly json?: true;
}

/** The exit status. */
export async function runRotateSecrets(flags: RotateSecretsFlags): Promise<number> {
  try {
    const loaded = loadConfig(process.env, {
      "countersign.data_dir": flags.data,
      "countersign.database_url": flags.database,
    });
    const rotated = await rotateSecrets(loaded, process.env, (done, total) => {
      console.error(`${String(done)} of ${String(total)} secrets`);
    });
    console.log(flags.json === true ? JSON.stringify(wire(rotated)) : told(rotated));
    return rotated.unreadable === 0 ? 0 : 1;
  } catch (error) {
    console.error(sentenceOf(error));
    return 2;
  }
}

function wire({ keyId, resealed, unreadable }: RotatedSecrets): object {
  return { key: keyId, resealed, unreadable };
}

function told({ keyId, resealed, unreadable }: RotatedSecrets): string {
  const done = `${String(resealed)} secrets are sealed with the key ${keyId} now.`;
  if (unreadable === 0) return `${done} No other key is needed any more, once sign-ins of the last hour are over.`;
  return `${done} ${String(unreadable)} could not be opened and stay as they are: their key is missing.`;
}

function sentenceOf(error: unknown): unknown {
  if (error instanceof ConfigFault || error instanceof CannotVerify) return error.message;
  if (error instanceof StartRefused) return `${error.message} (${error.code})`;
  return faultSentence(error) ?? error;
}
