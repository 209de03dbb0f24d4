/** Whose login paid for a call (null: ours), and tokens written to the provider's cache. */
export const credentialsOfCalls = `
ALTER TABLE calls ADD COLUMN credentials TEXT;
ALTER TABLE calls ADD COLUMN cache_write_tokens INTEGER;
`;
