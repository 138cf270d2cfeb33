import type { HookEvent } from '@fusewire/engine'
import { HOOK_EVENTS } from '../hooks/hook-events.ts'
import { channelsProblem } from './check-hooks.ts'
import { ConfigurationError, type ConfigurationProblem } from './configuration-error.ts'
import { nearestKey } from './nearest-key.ts'

const isEvent = (event: string): event is HookEvent => HOOK_EVENTS.some((name) => name === event)

const unknownEvent = (event: string): string => {
  const nearest = nearestKey(event, HOOK_EVENTS)
  return `is one of ${HOOK_EVENTS.join(', ')}, not ${JSON.stringify(event)}${nearest ? `; did you mean ${nearest}?` : ''}`
}

/** A hook that a program adds, as it was written. */
interface HandlerInput {
  readonly events: string | readonly string[]
  readonly channels: string | undefined
  readonly handler: unknown
}

/**
 * Checks a hook that a program adds, and answers with its events: a mistyped one would let through what it was to decide.
 * @throws {@link ConfigurationError}
 */
export const resolveHook = ({ events, channels, handler }: HandlerInput): HookEvent[] => {
  const list = typeof events === 'string' ? [events] : events
  const known = list.filter(isEvent)
  const problems: ConfigurationProblem[] = list.flatMap((event) => (isEvent(event) ? [] : [{ message: unknownEvent(event) }]))
  if (list.length === 0) problems.push({ message: 'names no event' })
  if (typeof handler !== 'function') problems.push({ message: 'has no function to call' })
  const channelsMessage = problems.length === 0 ? channelsProblem({ events: known, channels }) : undefined
  if (channelsMessage !== undefined) problems.push({ message: channelsMessage })
  if (problems.length === 0) return known
  const option = `hook ${JSON.stringify(events)}`
  throw new ConfigurationError(problems.map(({ message }) => ({ option, message })))
}
