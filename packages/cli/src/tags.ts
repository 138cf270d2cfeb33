import { InvalidArgumentError } from 'commander'

export type Tags = Readonly<Record<string, string>>

/** Adds `symbol=ACME` to the tags before it. */
export const collectTag = (text: string, before: Tags = {}): Tags => {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Write name=value.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
