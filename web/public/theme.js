// Before anything is painted, so that a chosen theme does not flash. No module: those wait for the page.
try {
  const chosen = localStorage.getItem("stepfall-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be switched off; then the system's theme holds.
}
