// The last word of the name decides: MY_TOKEN and DB_PASSWORD are secrets, MAX_TOKENS and CACHE_KEY are not.
const SECRET_NAME =
  /(?:^|[_\-.])(?:(?:api|secret|access|private|signing|encryption|license)[_-]?keys?|token|secret|password|passwd|passphrase|credentials?)$|^(?:pgpassword|mysql_pwd)$|(?:apikey|password|passwd|secret|accesstoken|authtoken)$/i;

const MAYBE_SECRET_NAME = /(?:^|_)(?:keys?|pass|auth|pat)$/i;

const SECRET_VALUE =
  /^(?:sk-[\w-]{16,}|sk_(?:live|test)_\w{10,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|hf_\w{20,}|npm_\w{20,})|-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** Whether a variable of this name surely holds a secret: such values are refused in files. */
export const looksLikeSecretName = (name: string): boolean => SECRET_NAME.test(name);

/** Whether it may hold one: such values are masked in output. */
export const maybeSecretName = (name: string): boolean => SECRET_NAME.test(name) || MAYBE_SECRET_NAME.test(name);

/** Whether a text has the form of a well-known kind of key. */
export const looksLikeSecretValue = (value: string): boolean => SECRET_VALUE.test(value.trim());
