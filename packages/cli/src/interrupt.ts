import { constants } from 'node:os'

/**
 * Resolves with the first SIGINT (Ctrl-C) or SIGTERM, for a clean end; with `hangup`, also when the terminal goes away. The second
 * signal ends the process at once, with the exit code that shells expect: 130 or 143.
 */
export const interrupted = ({ hangup = true } = {}): { readonly signal: Promise<NodeJS.Signals>; dispose(): void } => {
  const names: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', ...(hangup ? (['SIGHUP'] as const) : [])]
  let first = true
  let resolve: (name: NodeJS.Signals) => void = () => {}
  const signal = new Promise<NodeJS.Signals>((settle) => {
    resolve = settle
  })
  const listeners = names.map((name) => {
    const listener = () => {
      if (!first) process.exit(128 + constants.signals[name])
      first = false
      resolve(name)
    }
    process.on(name, listener)
    return { name, listener }
  })
  return {
    signal,
    dispose: () => {
      for (const { name, listener } of listeners) process.removeListener(name, listener)
    },
  }
}
