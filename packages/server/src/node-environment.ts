import type { Environment } from '@fusewire/engine'
import { randomText } from './random-text.ts'

/** The system's clock and randomness. */
export const nodeEnvironment: Environment = {
  now: Date.now,
  random: Math.random,
  // 72 bits: unique over all nodes for as long as anyone keeps them.
  id: () => randomText(9),
  // 144 bits: not to be guessed.
  secret: () => randomText(18),
}
