import type { Member } from '@fusewire/client'
import { visitorName } from '../../shared/visitor.ts'

/** A member as the page shows them. */
export interface Person {
  /** Stable over the person's sessions. */
  readonly key: string
  readonly name: string
}

export const personOf = ({ session, user, info }: Member): Person => ({
  key: user ?? session,
  name: visitorName(info) ?? user ?? 'Someone',
})

export const initialsOf = (name: string): string => {
  const words = name.split(/\s+/).filter(Boolean)
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return letters
    .map((word) => [...(word ?? '')][0] ?? '')
    .join('')
    .toUpperCase()
}

/** A hue of their own for everyone, the same on every screen. */
export const hueOf = (key: string): number => {
  let hash = 7
  for (const letter of key) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 36_000
  // Twelve hues that eyes can tell apart.
  return (hash % 12) * 30 + 15
}
