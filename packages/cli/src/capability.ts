import { nearestKey } from '@fusewire/server/configuration'
import type { Capability } from '@fusewire/server/token'
import { InvalidArgumentError } from 'commander'

const ACTIONS = ['subscribe', 'publish', 'history', 'presence'] as const

/** Reads `chat:*=subscribe,publish`. The last `=` counts, as a pattern may contain one; `*` alone on the right means everything. */
export const readCapability = (text: string): Capability => {
  const at = text.lastIndexOf('=')
  const pattern = text.slice(0, at)
  if (at < 1) throw new InvalidArgumentError("Write 'chat:*=subscribe,publish': a channel pattern, and what is allowed there.")
  const names = text.slice(at + 1).trim()
  if (names === '*') return { channels: [pattern], allow: ACTIONS }
  const allow = names.split(',').map((name) => {
    const action = ACTIONS.find((known) => known === name.trim())
    if (action) return action
    const nearest = nearestKey(name, ACTIONS)
    const guess = nearest === undefined ? '' : ` Did you mean ${nearest}?`
    throw new InvalidArgumentError(`${JSON.stringify(name.trim())} is none of ${ACTIONS.join(', ')}.${guess}`)
  })
  return { channels: [pattern], allow }
}
