import { setTimeout as delay } from 'node:timers/promises'

/** Waits for a condition; throws with the message when it does not come true within half a minute, or the time that is given. */
export const until = async (
  condition: () => boolean | Promise<boolean>,
  message: string | (() => string),
  timeoutMs = 30_000,
): Promise<void> => {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(typeof message === 'string' ? message : message())
    await delay(5)
  }
}
