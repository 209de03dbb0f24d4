/** A row without the null prototype of node:sqlite, and without the keys whose column is null. */
export const plain = (row: object): object => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
