// Draws one diagram for the page around this frame, which has no origin and may ask nobody for anything.
"use strict";

const tell = (said) => parent.postMessage(said, "*");
let newest = 0;

async function draw({ source, colours, isDark }) {
  const number = ++newest;
  document.documentElement.style.colorScheme = isDark ? "dark" : "light";
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    suppressErrorRendering: true,
    theme: "base",
    themeVariables: { ...colours, darkMode: isDark, fontSize: "14px" },
    fontFamily: "system-ui, sans-serif",
    htmlLabels: false,
    flowchart: { htmlLabels: false },
    maxTextSize: 20_000,
    maxEdges: 400,
  });
  try {
    const { svg } = await mermaid.render(`diagram-${number}`, source);
    if (number !== newest) return;
    document.body.innerHTML = svg;
    for (const link of document.querySelectorAll("a")) link.replaceWith(...link.childNodes);
    tell({ kind: "drawn", height: document.body.getBoundingClientRect().height });
  } catch {
    if (number === newest) tell({ kind: "failed" });
  }
}

addEventListener("message", (event) => {
  if (event.source === parent) void draw(event.data);
});
addEventListener("resize", () => {
  if (document.querySelector("svg")) tell({ kind: "drawn", height: document.body.getBoundingClientRect().height });
});
tell({ kind: "ready" });
