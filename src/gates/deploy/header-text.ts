/**
 * Header values arrive as one character per byte; what people wrote into settings is text. One conversion, both ways, so that
 * both are compared as UTF-8 (docs/spec/deploy.md R-ALLOW-1).
 */

/** The text that the bytes of a header spell in UTF-8, or null where they spell none. */
export function textOfHeader(value: string): string | null {
  try {
    return decodeURIComponent(value.replaceAll(/[%\u0080-\u00ff]/g, (byte) => escapeByte(byte.charCodeAt(0))));
  } catch {
    return null;
  }
}

export function headerOfText(text: string): string {
  return encodeURIComponent(text).replaceAll(/%([0-9A-F]{2})/g, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function escapeByte(byte: number): string {
  return `%${byte.toString(16).padStart(2, "0")}`;
}
