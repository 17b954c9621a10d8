/** What is attached, as a conversation shows it, and as it comes from a clipboard or under a pointer. */

import { attaching, language } from "../../strings";
import { address } from "../../wire/client";
import type { Attachment } from "../../wire/types";

/** Pictures to be looked at large, of a session, beginning with one of them. */
export interface Viewed {
  readonly sessionId: string;
  readonly pictures: readonly Attachment[];
  readonly at: number;
}

export function isPicture({ media_type }: Attachment): boolean {
  return media_type.startsWith("image/");
}

/** Where its bytes are; nowhere as long as it is not known which session holds them, and `sessionId` is empty. */
export function addressOf(sessionId: string, { id }: Attachment): string | undefined {
  return sessionId === "" ? undefined : address("/api/attachment", { session_id: sessionId, id });
}

/** So large is a picture drawn that fits into a box, in CSS pixels, so that its place is there before it is. */
export function sizeWithin({ width, height }: Attachment, box: { width: number; height: number; least: number }): { width: number; height: number } {
  if (!width || !height) return { width: box.height, height: box.height };
  const scale = Math.min(1, box.width / width, box.height / height);
  const side = (length: number): number => Math.max(box.least, Math.round(length * scale));
  return { width: side(width), height: side(height) };
}

export function holdsFiles(data: DataTransfer | null): boolean {
  return data?.types.includes("Files") ?? false;
}

/** The files in it; none where it is text that merely has a picture of itself with it, as office programs copy it. */
export function filesIn(data: DataTransfer | null): File[] {
  const files = [...(data?.files ?? [])].filter((file, at) => !isFolder(data?.items[at]) || file.size > 0);
  const lines = (data?.getData("text/plain") ?? "").split("\n").map((line) => line.trim());
  const isText = lines.some((line) => line !== "" && !files.some((file) => line.endsWith(file.name)));
  return isText ? [] : files.map((file) => withName(file));
}

/** Lets an element take the files that are pasted into it or dropped on it, rather than what is around it. */
export function takesFiles(take: (files: readonly File[]) => void): (element: HTMLElement) => () => void {
  return (element) => {
    const end = new AbortController();
    const { signal } = end;
    const heed = (event: Event, data: DataTransfer | null): void => {
      const files = filesIn(data);
      if (files.length === 0) return;
      event.preventDefault();
      take(files);
    };
    element.addEventListener("paste", (event) => heed(event, event.clipboardData), { signal });
    element.addEventListener("drop", (event) => heed(event, event.dataTransfer), { signal });
    return () => end.abort();
  };
}

/** Without the colons that some systems do not have in a name. */
function timeNow(): string {
  return new Date().toLocaleTimeString(language).replaceAll(":", ".");
}

function isFolder(item: DataTransferItem | undefined): boolean {
  return item?.webkitGetAsEntry?.()?.isDirectory ?? false;
}

/** Browsers call every picture of a clipboard alike. */
function withName(file: File): File {
  const kind = /^image\/(\w+)$/.exec(file.type)?.[1];
  if (kind === undefined || !/^image\.\w+$/.test(file.name)) return file;
  return new File([file], `${attaching.pasted(timeNow())}.${kind === "jpeg" ? "jpg" : kind}`, { type: file.type });
}
