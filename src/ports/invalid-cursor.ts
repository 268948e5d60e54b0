/** A cursor that none of our pages handed out, or that belongs to another list (engine R-API-10). The asker's mistake. */
export class InvalidCursor extends Error {
  override readonly name = "InvalidCursor";

  constructor() {
    super("cursor is not one that this list gave out");
  }
}
