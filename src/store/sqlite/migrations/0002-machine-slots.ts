/** Which machine's slot a lease takes; null when it was reserved without naming one. Counted by `reserve`. */
export const machineSlots = `
ALTER TABLE leases ADD COLUMN machine TEXT;
CREATE INDEX leases_by_machine ON leases (machine, until) WHERE machine IS NOT NULL;
`;
