// Runs before the first paint so that a chosen theme never flashes the other one. A file, not an inline script: the
// content security policy allows scripts from this origin only.
try {
  const chosen = window.localStorage.getItem("countersign.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is denied: the system's theme is followed.
}
