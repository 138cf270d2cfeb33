import { randomBytes } from 'node:crypto'
import type { Environment } from '@fusewire/engine'

/** The system's clock and randomness. */
export const nodeEnvironment: Environment = {
  now: Date.now,
  random: Math.random,
  // 72 bits: unique over all nodes for as long as anyone keeps them.
  id: () => randomBytes(9).toString('base64url'),
  // 144 bits: not to be guessed.
  secret: () => randomBytes(18).toString('base64url'),
}
