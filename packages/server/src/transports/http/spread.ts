/** Streams that end together do not come back together: half to one and a half times the average. */
export const spread = (averageMs: number): number => Math.round(averageMs * (0.5 + Math.random()))
