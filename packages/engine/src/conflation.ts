import type { Publication } from '@fusewire/protocol'
import type { Slot } from './ports/connection.ts'
import type { ChannelRule } from './rule.ts'

/** Whether a client that reads too slowly passes over publications of channels with this rule. */
export const isConflated = ({ slowConsumer }: ChannelRule): boolean => slowConsumer === 'latest'

/**
 * What the publication takes the place of while a client is behind. Undefined where everything is delivered: in channels whose rule
 * does not say `latest`, and for a publication without the tag that the rule names, since nothing newer makes up for it.
 */
export const slotOf = (channel: string, { tags }: Publication, rule: ChannelRule): Slot | undefined => {
  if (!isConflated(rule)) return undefined
  const { conflationTag } = rule
  if (conflationTag === undefined) return channel
  const value = tags?.[conflationTag]
  // The name of a channel has no space in it.
  return value === undefined ? undefined : `${channel} ${value}`
}
