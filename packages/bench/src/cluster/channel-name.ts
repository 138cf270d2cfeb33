/** Where publications of the benchmark of clusters go. */
export const channelName = (index: number): string => `bench:${index}`
