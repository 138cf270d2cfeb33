import { brokerName } from '../broker-name.ts'

/** The names in Redis of what belongs to one channel: all are of one slot. */
export interface ChannelKeys {
  /** Meta, history and document. */
  readonly kept: readonly [string, string, string]
  /** The sharded channel. */
  readonly topic: string
  readonly base: string
}

export const channelKeys = (prefix: string, channel: string): ChannelKeys => {
  const base = `${prefix}:{${brokerName(channel)}}`
  return { kept: [`${base}:m`, `${base}:h`, `${base}:d`], topic: `${base}:p`, base }
}

export const idempotencyName = ({ base }: ChannelKeys, key: string): string => `${base}:k:${brokerName(key)}`
