/** The stairs of the page only go down: wire < run < state < features < app, ui < features; features do not meet. */

import { readFileSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import { expect, test } from "vitest";

const SOURCE = new URL("../src/", import.meta.url);

const MAY_USE: Record<string, string[]> = {
  strings: [],
  wire: [],
  run: ["wire"],
  ui: ["strings"],
  state: ["wire", "run", "strings"],
  features: ["wire", "run", "state", "ui", "strings"],
  app: ["wire", "run", "state", "ui", "strings", "features"],
  shell: [],
  styles: [],
  "main.ts": ["app", "shell", "state", "styles"],
};

const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => /\.(ts|svelte)$/.test(file));

function roomOf(file: string): string {
  const [room = "", feature = ""] = file.split("/");
  return room === "features" ? `features/${feature}` : room;
}

function importsOf(file: string): string[] {
  const text = readFileSync(new URL(file, SOURCE), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((match) => posix.join(posix.dirname(file), match[1]!));
}

test("every import leads down the stairs or stays in its room", () => {
  const wrong = files.flatMap((file) => {
    const room = roomOf(file);
    const allowed = MAY_USE[room.split("/")[0]!];
    if (!allowed) return [`${file} is in no known room`];
    return importsOf(file)
      .map(roomOf)
      .filter((used) => used !== room && !allowed.includes(used.split("/")[0]!))
      .map((used) => `${file} uses ${used}`);
  });

  expect(wrong).toEqual([]);
});

test("imports go in no circle", () => {
  const known = new Set(files);
  const resolve = (path: string): string | undefined => [path, `${path}.ts`, `${path}.svelte`].find((one) => known.has(one));
  const done = new Set<string>();
  const visit = (file: string, way: string[]): void => {
    if (way.includes(file)) throw new Error([...way.slice(way.indexOf(file)), file].join(" -> "));
    if (done.has(file)) return;
    for (const used of importsOf(file)) {
      const target = resolve(used);
      if (target) visit(target, [...way, file]);
    }
    done.add(file);
  };

  expect(() => files.forEach((file) => visit(file, []))).not.toThrow();
});
