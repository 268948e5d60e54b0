import type { ReactNode } from "react";

import styles from "./outside-text.module.css";

/**
 * R-CON-8: every text that came from outside is drawn through here. Characters that steer or hide the text around them are
 * replaced by a visible mark with their code point, and the text cannot change the direction of what follows it.
 */
const invisible =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/u;

export interface Piece {
  readonly kind: "text" | "mark";
  readonly text: string;
}

export function piecesOf(outside: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let plain = "";
  for (const character of outside) {
    if (!invisible.test(character)) {
      plain += character;
      continue;
    }
    if (plain !== "") pieces.push({ kind: "text", text: plain });
    plain = "";
    pieces.push({ kind: "mark", text: codePointName(character) });
  }
  if (plain !== "") pieces.push({ kind: "text", text: plain });
  return pieces;
}

function codePointName(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The same in one string, for titles and spoken text. */
export function visibleText(outside: string): string {
  return piecesOf(outside)
    .map((piece) => (piece.kind === "mark" ? `[${piece.text}]` : piece.text))
    .join("");
}

export function OutsideText({ text }: { readonly text: string }): ReactNode {
  return (
    <bdi className={styles.outside}>
      {piecesOf(text).map((piece, index) =>
        piece.kind === "text" ? (
          piece.text
        ) : (
          <span
            key={index}
            className={styles.mark}
            title="A character that is invisible or changes the reading direction"
          >
            {piece.text}
          </span>
        ),
      )}
    </bdi>
  );
}
