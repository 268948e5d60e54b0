/** Places a popover under its trigger and inside the window. */
const gap = 6;
const margin = 8;

export function placeUnder(popover: HTMLElement, trigger: HTMLElement, align: "start" | "end"): void {
  const anchor = trigger.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const wanted = align === "start" ? anchor.left : anchor.right - width;
  const left = Math.max(margin, Math.min(wanted, document.documentElement.clientWidth - width - margin));
  const below = anchor.bottom + gap;
  const top = below + height > window.innerHeight - margin ? Math.max(margin, anchor.top - gap - height) : below;
  popover.style.left = `${String(left)}px`;
  popover.style.top = `${String(top)}px`;
}
