/** R-CON-10: remaining time is counted from the server's clock. The Date header has whole seconds, so smaller differences are none. */
const noise = 1_500;
let offsetMilliseconds = 0;
let heardAt = Date.now();

export function observeServerTime(date: string | null): void {
  if (date === null) return;
  const server = Date.parse(date);
  if (Number.isNaN(server)) return;
  const difference = server + 500 - Date.now();
  offsetMilliseconds = Math.abs(difference) < noise ? 0 : difference;
  heardAt = serverNow();
}

export function serverNow(): number {
  return Date.now() + offsetMilliseconds;
}

/** When the server last answered: what counts as idle begins there. */
export function lastHeardAt(): number {
  return heardAt;
}
