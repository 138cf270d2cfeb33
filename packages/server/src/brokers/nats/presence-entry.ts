import type { Member } from '@fusewire/protocol'
import type { KvEntry } from './kv-bucket.ts'

/** A member as the bucket has it. */
export interface PresenceEntry {
  readonly key: string
  readonly revision: number
  /** The node that has it, as a token. */
  readonly node: string
  /** Until when it stays although its node is silent, in milliseconds of the server. */
  readonly end: number
  /** The member, as JSON: the bytes that it came in are part of a larger buffer. */
  readonly text: string
}

/** What stays for a while where a member has left, so that whoever watches the channel hears of it. */
export const LEFT = 'out'

export const presenceMeta = (end: number, node: string): string => `in ${Math.round(end)} ${node}`

/** Undefined for one that has left, and for what is no member. */
export const readPresence = ({ key, revision, meta, value }: KvEntry): PresenceEntry | undefined => {
  const [, end, node] = /^in (\d+) (\S+)$/u.exec(meta) ?? []
  return node === undefined ? undefined : { key, revision, node, end: Number(end), text: DECODER.decode(value) }
}

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder()

export const presenceValue = (member: Member): Uint8Array => ENCODER.encode(JSON.stringify(member))

export const memberOf = ({ text }: PresenceEntry): Member => JSON.parse(text) as Member
