/** Lets everything that is ready run: promises that are settled, and their followers. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
