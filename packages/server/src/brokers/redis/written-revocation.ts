import type { Revocation } from '@fusewire/engine'

/** A revocation, and until when it is kept, in milliseconds since the epoch. */
export type KeptRevocation = readonly [revocation: Revocation, expiresAt: number]

/** What a revocation is kept under: that of a token and that of a user of the same name are two. */
export const nameOf = (revocation: Revocation): string => ('token' in revocation ? `t${revocation.token}` : `u${revocation.user}`)

/** Name, end and latest time of issue, which is empty for one token, as the functions take them. */
export const writtenOf = ([revocation, expiresAt]: KeptRevocation): [name: string, ends: string, before: string] => [
  nameOf(revocation),
  String(Math.ceil(expiresAt)),
  'token' in revocation ? '' : String(revocation.issuedBefore),
]

/** `value` is the end and the latest time of issue with a space between. */
export const readKept = (name: string, value: string): KeptRevocation => {
  const [ends, before] = value.split(' ')
  const subject = name.slice(1)
  const revocation = name.startsWith('t') ? { token: subject } : { user: subject, issuedBefore: Number(before) }
  return [revocation, Number(ends)]
}

/** What nodes tell each other of a revocation that has been made. */
export interface RevocationMessage {
  /** That of all revocations with this one. */
  readonly revision: string
  /** Who has made it, and which of that node's it is. */
  readonly node: string
  readonly number: number
  readonly kept: KeptRevocation
}

/** Undefined for what none of our nodes has written. */
export const readRevocationMessage = (message: string): RevocationMessage | undefined => {
  const end = message.indexOf('\n')
  try {
    const [node, number, name, ends, before] = JSON.parse(message.slice(end + 1)) as readonly [
      string,
      number,
      string,
      string,
      string,
    ]
    const kept = readKept(name, `${ends} ${before}`)
    return Number.isFinite(kept[1]) ? { revision: message.slice(0, end), node, number, kept } : undefined
  } catch {
    return undefined
  }
}
