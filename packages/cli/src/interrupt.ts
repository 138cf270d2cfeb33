const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const

type Ending = keyof typeof NUMBERS

const ENDINGS = Object.keys(NUMBERS) as Ending[]

/**
 * Resolves with the first SIGINT (Ctrl-C) or SIGTERM, for a clean end. The second one ends the process at once, with the exit code
 * that shells expect: 130 or 143.
 */
export const interrupted = (): { readonly signal: Promise<Ending>; dispose(): void } => {
  let first = true
  let resolve: (name: Ending) => void = () => {}
  const signal = new Promise<Ending>((settle) => {
    resolve = settle
  })
  const listeners = ENDINGS.map((name) => {
    const listener = () => {
      if (!first) process.exit(128 + NUMBERS[name])
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
