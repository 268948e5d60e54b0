import { userCodeFrom, userCodeText } from "../../../../src/contract/user-code.ts";
import { pureSha256 } from "../../../../src/ledger/sha256.ts";

/** The letters that the terminal shows as well, made from the same challenge (identity R-TERM-2). */
export function userCode(codeChallenge: string): string {
  return userCodeFrom(pureSha256(new TextEncoder().encode(userCodeText(codeChallenge))));
}
