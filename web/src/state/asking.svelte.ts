/** What agents ask in all sessions, and what they need not ask any more. */

import { approvalFrom, questionFrom, type Approval, type Question } from "../run/transcript";
import { ServerError, sentenceOf, type Client } from "../wire/client";
import type { AskingList, AskingNote, Rule, RuleList, SandboxAnswer } from "../wire/types";

export type Choice = "once" | "session" | "always" | "deny";

interface Where {
  readonly id: string;
  readonly streamId: string;
  readonly sessionId: string;
  /** Of its session. */
  readonly title: string;
  readonly from: AskingNote["kind"];
}

export interface ApprovalAsked extends Where {
  readonly kind: "approval";
  readonly approval: Approval;
}

export interface QuestionAsked extends Where {
  readonly kind: "question";
  readonly question: Question;
}

export type Asked = ApprovalAsked | QuestionAsked;

/** Why a word was not taken. `isOver`: it is not asked any more. */
export interface Refused {
  readonly sentence: string;
  readonly isOver: boolean;
}

/** What holds commands, by its own name. */
export const SANDBOXES: Record<Exclude<SandboxAnswer["kind"], "none">, string> = { bubblewrap: "bubblewrap", landlock: "Landlock" };

const OVER = ["approval_not_found", "approval_settled", "question_not_found"];

export class Asking {
  /** The longest waiting first. */
  all = $state.raw<readonly Asked[]>([]);
  /** The oldest first; null until someone comes to see them. */
  rules = $state.raw<readonly Rule[] | null>(null);
  /** What holds the commands of agents; null until it is known. */
  sandbox = $state.raw<SandboxAnswer | null>(null);
  #newest = 0;
  #known: ReadonlySet<string> | null = null;
  #showsRules = false;

  /** `arrived`: asked since the page looked last. */
  constructor(
    private readonly client: Client,
    private readonly arrived: (asked: Asked) => void,
  ) {}

  in(sessionId: string | null): readonly Asked[] {
    return this.all.filter((one) => one.sessionId === sessionId);
  }

  asks(streamId: string): boolean {
    return this.all.some((one) => one.streamId === streamId);
  }

  waitsIn(sessionId: string): boolean {
    return this.all.some((one) => one.sessionId === sessionId);
  }

  /** Ask the server what there is. */
  async load(): Promise<void> {
    const asked = ++this.#newest;
    try {
      const rules = this.#showsRules ? this.#loadRules() : null;
      const { asking } = await this.client.get<AskingList>("/api/approval/pending");
      await rules;
      if (asked === this.#newest) this.#take(asking.flatMap(askedBy));
    } catch (error) {
      sentenceOf(error); // the account's stream tells when the server is back, and then it is asked again
    }
  }

  /** Say a word on exactly what was shown. Answers why it was not taken, or null. */
  async decide({ id, approval }: ApprovalAsked, choice: Choice, note = ""): Promise<Refused | null> {
    const { approval_id, arguments_sha256 } = approval;
    return this.#say(id, "/api/approval/respond", { approval_id, arguments_sha256, choice, note });
  }

  async answer({ id, streamId, question }: QuestionAsked, text: string): Promise<Refused | null> {
    return this.#say(id, "/api/clarify/respond", { stream_id: streamId, question_id: question.question_id, text });
  }

  /** Someone comes to see what is not asked about any more. */
  async showRules(): Promise<void> {
    this.#showsRules = true;
    await this.#loadRules();
  }

  async revoke({ rule_id }: Rule): Promise<void> {
    try {
      await this.client.post("/api/approval/rules/revoke", { rule_id });
    } catch (error) {
      if (!(error instanceof ServerError && error.status === 404)) throw error;
    }
    this.rules = this.rules?.filter((one) => one.rule_id !== rule_id) ?? null;
  }

  /** Ask what holds commands, once: it stays as it is while the server runs. */
  async lookAtSandbox(): Promise<void> {
    this.sandbox ??= await this.client.get<SandboxAnswer>("/api/sandbox");
  }

  async #loadRules(): Promise<void> {
    this.rules = (await this.client.get<RuleList>("/api/approval/rules")).rules;
  }

  async #say(id: string, path: string, body: object): Promise<Refused | null> {
    try {
      await this.client.post(path, body);
      this.#newest += 1; // an answer that is on its way still has what was just settled
      this.all = this.all.filter((one) => one.id !== id);
      void this.load();
      return null;
    } catch (error) {
      const code = error instanceof ServerError ? error.code : "";
      void this.load();
      return { sentence: sentenceOf(error), isOver: OVER.includes(code) };
    }
  }

  #take(all: readonly Asked[]): void {
    const known = this.#known;
    this.#known = new Set(all.map((one) => one.id));
    this.all = all;
    if (known) for (const one of all) if (!known.has(one.id)) this.arrived(one);
  }
}

function askedBy(note: AskingNote): Asked[] {
  const where = { streamId: note.stream_id, sessionId: note.session_id, title: note.title, from: note.kind };
  const asked: Asked[] = note.approvals.map((one) => ({ ...where, kind: "approval", id: one.approval_id, approval: approvalFrom(one) }));
  if (note.question) {
    const question = questionFrom(note.question);
    asked.push({ ...where, kind: "question", id: `${note.stream_id} ${question.question_id}`, question });
  }
  return asked;
}
