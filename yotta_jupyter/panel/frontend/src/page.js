// @ts-check
/** The page that the panel is in, and new tabs beside it. */

/**
 * Open an address in a new tab. Browsers allow it for some seconds after a click.
 *
 * @param {string} url
 * @returns {boolean} whether a tab was opened
 */
export function openTab(url) {
  // Long after a click, the browser would block the tab and tell the user so.
  if (navigator.userActivation?.isActive === false) return false;
  try {
    const tab = window.open("about:blank", "_blank");
    if (!tab) return false;
    tab.opener = null; // The server on the pod must not reach the notebook.
    tab.location.href = new URL(url, location.href).href;
    return true;
  } catch {
    return false; // VS Code opens no tabs.
  }
}

/** @returns {string | null} the path of the notebook server; null if it runs on this machine or its path is unknown */
export function remoteServerPath() {
  const { protocol, hostname } = window.location;
  if (!protocol.startsWith("http") || isLoopback(hostname)) return null;
  try {
    return JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "").baseUrl ?? null;
  } catch {
    return null;
  }
}

/** @param {string} hostname */
function isLoopback(hostname) {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
