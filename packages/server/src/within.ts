import type { Awaitable } from '@fusewire/engine'

/**
 * Settles as `work` does, or after `ms` at the latest: then as `late` says, which may throw. The work itself goes on; that it fails later is
 * no unhandled rejection.
 */
export const within = async <T, Late>(work: Awaitable<T>, ms: number, late: () => Late): Promise<T | Late> => {
  let timer: NodeJS.Timeout | undefined
  const elapsed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  try {
    return await Promise.race([work, elapsed.then(late)])
  } finally {
    clearTimeout(timer)
  }
}
