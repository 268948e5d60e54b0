/** The page was about to have something signed or decided that it does not show. */
export class StatementDiffers extends Error {
  constructor(what: string) {
    super(`Nothing was sent: the server names another ${what} than this page shows.`);
    this.name = "StatementDiffers";
  }
}
