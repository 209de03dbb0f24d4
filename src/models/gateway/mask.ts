/** Shorter ones are no secrets but placeholders (`ollama`, `none`), which occur in honest sentences. */
const shortest = 8;

/** Replaces secrets in texts that leave the gateway or are written down. */
export class Mask {
  readonly #secrets = new Map<string, number>();

  add(secrets: Iterable<string>): void {
    for (const secret of secrets) if (secret.length >= shortest) this.#secrets.set(secret, (this.#secrets.get(secret) ?? 0) + 1);
  }

  /** What was added must be removed as often. */
  remove(secrets: Iterable<string>): void {
    for (const secret of secrets) {
      const times = this.#secrets.get(secret) ?? 0;
      if (times > 1) this.#secrets.set(secret, times - 1);
      else this.#secrets.delete(secret);
    }
  }

  /** One that knows these, too, as of now. */
  with(secrets: readonly string[]): Mask {
    const both = new Mask();
    both.add([...this.#secrets.keys(), ...secrets]);
    return both;
  }

  text(text: string): string {
    let masked = text;
    for (const secret of this.#secrets.keys()) if (masked.includes(secret)) masked = masked.replaceAll(secret, "[masked]");
    return masked;
  }
}
