/** How long runs did nothing but wait for people, and since when they do; null of runs that were last written before. */
export const waitsOfRuns = `
ALTER TABLE runs ADD COLUMN waited_for_people_ms INTEGER;
ALTER TABLE runs ADD COLUMN waits_for_people_since INTEGER;
`;
