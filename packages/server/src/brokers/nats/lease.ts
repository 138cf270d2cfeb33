/** What the key of a node says: until when it is there, in milliseconds of the server. */
export const leaseMeta = (until: number): string => `lease ${Math.round(until)}`

/** 0 for what no Fusewire has written. */
export const leaseOf = (meta: string): number => Number(/^lease (\d+)$/u.exec(meta)?.[1] ?? 0)
