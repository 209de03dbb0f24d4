export type PlacesErrorCode =
  | "PORTS_BOOK" // the list of ports in use cannot be read or written
  | "PORTS_NONE"; // every port is taken

/** `message` says what happened and where; `hint` what to do. */
export class PlacesError extends Error {
  readonly code: PlacesErrorCode;
  readonly hint: string;
  constructor(code: PlacesErrorCode, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "PlacesError";
    this.code = code;
    this.hint = hint;
  }
}
