/** Carrying a file to the server and telling how much of it is there, which `fetch` cannot. */

import type { Carrier } from "./client";

/** `told` hears the part that is there, from 0 to 1. */
export function carrying(told: (part: number) => void): Carrier {
  return (address, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method ?? "POST", address);
      new Headers(headers).forEach((value, name) => request.setRequestHeader(name, value));
      request.upload.onprogress = ({ loaded, total }) => told(total > 0 ? loaded / total : 0);
      request.onload = () => resolve(new Response(request.responseText, { status: request.status }));
      request.onerror = () => reject(new TypeError("Nobody answered."));
      request.onabort = () => reject(new DOMException("It was given up.", "AbortError"));
      signal?.addEventListener("abort", () => request.abort());
      request.send(body as Blob);
    });
}
