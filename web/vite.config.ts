import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { type Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** What a first visit may cost: script and style together, gzipped. */
const FIRST_LOAD_BUDGET_KB = 100;

/** Print what a first visit loads, and fail the build when that outgrows its budget. */
function firstLoad(): Plugin {
  return {
    name: "fireside:first-load",
    apply: "build",
    generateBundle(_options, bundle) {
      const wanted = new Set<string>();
      const visit = (name: string): void => {
        const chunk = bundle[name];
        if (wanted.has(name) || chunk?.type !== "chunk") return;
        wanted.add(name);
        for (const next of chunk.imports) visit(next);
      };
      for (const chunk of Object.values(bundle)) {
        const isFirst = chunk.type === "chunk" && (chunk.isEntry || chunk.name === "de"); // one language: the longest
        if (isFirst) visit(chunk.fileName);
      }
      for (const name of Object.keys(bundle)) if (name.endsWith(".css")) wanted.add(name);
      const sizes = [...wanted].map((name) => {
        const file = bundle[name];
        return gzipSync(file?.type === "chunk" ? file.code : (file?.source ?? "")).length;
      });
      const total = sizes.reduce((sum, size) => sum + size, 0) / 1000;
      console.log(`first load: ${total.toFixed(1)} kB gzip in ${wanted.size + 2} requests (budget ${FIRST_LOAD_BUDGET_KB} kB in 10)`);
      if (total > FIRST_LOAD_BUDGET_KB) this.error(`The first load is over its budget of ${FIRST_LOAD_BUDGET_KB} kB.`);
    },
  };
}

/** The icon in the tab, written into the page: it is not worth a request of its own. */
function icon(): Plugin {
  return {
    name: "fireside:icon",
    apply: "build",
    transformIndexHtml(html) {
      const source = readFileSync(new URL("./public/favicon.svg", import.meta.url), "utf8").trim();
      return html.replace('href="/favicon.svg"', `href="data:image/svg+xml,${encodeURIComponent(source)}"`);
    },
  };
}

/** What draws diagrams, whole in one file: the frame that runs it has no origin, and can load no modules. */
function diagrams(): Plugin {
  const source = new URL("./node_modules/mermaid/dist/mermaid.min.js", import.meta.url);
  return {
    name: "fireside:diagrams",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "diagram/mermaid.js", source: readFileSync(source) });
    },
  };
}

/** The worker that keeps the page's own files, told which those are. */
function shell(): Plugin {
  return {
    name: "fireside:shell",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const read = (name: string): Buffer => readFileSync(new URL(name, import.meta.url));
        const beside = ["favicon.svg", "manifest.webmanifest", "theme.js", "icons/icon-192.png"];
        const assets = Object.keys(bundle).filter((name) => name.startsWith("assets/"));
        const files = JSON.stringify(["/", ...[...beside, ...assets].sort().map((name) => `/${name}`)]);
        const digest = createHash("sha256").update(files).update(read("./index.html"));
        for (const name of beside) digest.update(read(`./public/${name}`));
        const source = read("./src/shell/worker.js").toString("utf8");
        const code = source.replace("__FILES__", files).replace("__DIGEST__", digest.digest("hex").slice(0, 16));
        this.emitFile({ type: "asset", fileName: "worker.js", source: code });
      },
    },
  };
}

export default defineConfig({
  plugins: [svelte(), icon(), diagrams(), shell(), firstLoad()],
  build: {
    outDir: process.env["FIRESIDE_PAGE_OUT"] ?? "../api/static",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0, // a data: address would be one more thing for the content policy to allow
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    cssCodeSplit: false, // all styles are smaller than the wait for a second file of them
    // What several parts share is one file: a first visit then asks for a few files and not for twenty.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: "shared", test: /web\/src\/(?!strings\/(en|de|fr)|ui\/exact\/)/, minShareCount: 2 }] } },
    },
  },
  test: { environment: "node", include: ["tests/**/*.test.ts"], setupFiles: ["tests/speaking.ts"] },
});
