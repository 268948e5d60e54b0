/** What a browser says about the page that asked (row 7 of identity table 7.3), where the library asks less than we do. */
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** False for a page inside a frame of another site, and for what is no strict UTF-8 JSON object. */
export function isOfThisPage(clientDataJson: string): boolean {
  let data: unknown;
  try {
    data = JSON.parse(DECODER.decode(Buffer.from(clientDataJson, "base64url")));
  } catch {
    return false;
  }
  if (typeof data !== "object" || data === null || "topOrigin" in data) return false;
  return !("crossOrigin" in data) || data.crossOrigin === false;
}
