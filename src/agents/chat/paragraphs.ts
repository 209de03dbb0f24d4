import { FIELD_LIMIT } from "./protocol.ts";

/** Text arrives in crumbs; people and the transcript get it by the line. */
export class Paragraphs {
  #rest = "";
  readonly #send: (text: string) => void;
  constructor(send: (text: string) => void) {
    this.#send = send;
  }
  add(text: string): void {
    this.#rest += text;
    const end = this.#rest.lastIndexOf("\n");
    if (end < 0 && this.#rest.length < FIELD_LIMIT) return;
    const until = end < 0 ? this.#rest.length : end;
    this.#flush(this.#rest.slice(0, until));
    this.#rest = this.#rest.slice(end < 0 ? until : end + 1);
  }
  end(): void {
    this.#flush(this.#rest);
    this.#rest = "";
  }
  #flush(text: string): void {
    for (let at = 0; at < text.length; at += FIELD_LIMIT) this.#send(text.slice(at, at + FIELD_LIMIT));
  }
}
