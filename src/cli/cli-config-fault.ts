/** What the command line remembers cannot be used; the message is for the person at the terminal. */
export class CliConfigFault extends Error {
  override readonly name = "CliConfigFault";
}
