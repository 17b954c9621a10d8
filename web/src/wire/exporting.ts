/** Having the browser save a session as a file, under the name that the server gives it. */

export function saveAsFile(sessionId: string, format: string): void {
  const link = document.createElement("a");
  link.href = `/api/session/export?${new URLSearchParams({ session_id: sessionId, format }).toString()}`;
  link.download = "";
  link.click();
}
