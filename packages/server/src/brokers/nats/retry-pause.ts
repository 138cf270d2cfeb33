import { setTimeout as delay } from 'node:timers/promises'

const LEAST_MS = 20
const MOST_MS = 250

/** Before the same is tried again: differently long, since many may have been refused at the same time. */
export const retryPause = (): Promise<void> => delay(LEAST_MS + Math.random() * MOST_MS)
