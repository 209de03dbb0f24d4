/** A tool call that is not carried out; the model reads the message and may try something else. */
export class Refused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Refused";
  }
}
