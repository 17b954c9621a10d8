// Keeps the page's own files, so that it opens while nobody answers. What people said is never kept here.
"use strict";

const FILES = __FILES__;
const CACHE = "fireside-__DIGEST__";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "no-cache" })))));
});

// It does not take over from an older one before the last page of that is closed, which may still want its files.
self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then((names) =>
      Promise.all(names.filter((name) => name.startsWith("fireside-") && name !== CACHE).map((name) => caches.delete(name))),
    ),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin || pathname.startsWith("/api/")) return;
  if (pathname.startsWith("/assets/")) event.respondWith(kept(pathname).then((answer) => answer ?? fetch(request)));
  else if (request.mode === "navigate" || FILES.includes(pathname)) event.respondWith(fresh(request, pathname));
});

/** The server's own answer always, so that no old page meets a new server; the kept one only when there is none. */
async function fresh(request, pathname) {
  try {
    return await fetch(request);
  } catch (error) {
    const answer = await kept(request.mode === "navigate" ? "/" : pathname);
    if (answer) return answer;
    throw error;
  }
}

async function kept(pathname) {
  const cache = await caches.open(CACHE);
  return FILES.includes(pathname) ? cache.match(pathname) : undefined;
}
