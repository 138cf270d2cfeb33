/** What states, events and effects mean, read from the comments above their types. */
import { readFileSync } from 'node:fs'

const flat = (comment: string): string => comment.replaceAll(/\s*\n\s*\*\s?/g, ' ').trim()

const sentence = (text: string): string => {
  const trimmed = text.trim().replace(/^[a-z]/, (letter) => letter.toUpperCase())
  return trimmed.endsWith('.') ? trimmed : `${trimmed}.`
}

/** Of a type whose comment says "`name`: what it means" for each of its words. @throws when a word is not explained. */
export const explainedAbove = (source: URL, type: string, words: readonly string[]): ReadonlyMap<string, string> => {
  const code = readFileSync(source, 'utf8')
  const comment = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\nexport type ${type} =`).exec(code)?.[1] ?? ''
  const parts = flat(comment).split(new RegExp(`\`(${words.join('|')})\`: `))
  const found = new Map<string, string>()
  for (let i = 1; i < parts.length; i += 2) found.set(parts[i] ?? '', sentence(parts[i + 1] ?? ''))
  return complete(found, type, words)
}

/** Of a union whose variants have a comment each. @throws when a word is not explained. */
export const explainedEach = (source: URL, type: string, words: readonly string[]): ReadonlyMap<string, string> => {
  const variants = readFileSync(source, 'utf8').matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*\| \{ readonly type: '(\w+)'/g)
  return complete(new Map([...variants].map(([, comment = '', word = '']) => [word, sentence(flat(comment))])), type, words)
}

const complete = (found: ReadonlyMap<string, string>, type: string, words: readonly string[]): ReadonlyMap<string, string> => {
  const missing = words.filter((word) => !found.get(word))
  if (missing.length > 0) throw new Error(`the comment of ${type} does not say what these mean: ${missing.join(', ')}`)
  return found
}
