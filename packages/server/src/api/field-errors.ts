import { FusewireError } from '@fusewire/protocol'
import type { z } from 'zod'

type RawIssue = z.core.$ZodRawIssue

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  record: 'an object',
}

const bound = (issue: RawIssue & { code: 'too_small' | 'too_big' }): string => {
  if (issue.code === 'too_small' && issue.minimum === 1 && issue.origin !== 'number') return 'must not be empty'
  const limit = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`
  if (issue.origin === 'string') return `must have ${limit} characters`
  if (issue.origin === 'array') return `must have ${limit} items`
  return `must be ${limit}`
}

/** What is wrong, in words that follow the field's name; the same words as for messages of clients. */
export const issueWords = (issue: RawIssue): string => {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing'
      return `must be ${TYPES[issue.expected] ?? issue.expected}`
    case 'too_small':
    case 'too_big':
      return bound(issue)
    case 'unrecognized_keys':
      return 'is unknown'
    case 'invalid_value':
      return `must be ${issue.values.map((value) => String(value)).join(' or ')}`
    default:
      return 'is not valid'
  }
}

/** The same for a query string, where a parameter that is repeated comes as an array. */
export const queryIssueWords = (issue: RawIssue): string =>
  issue.code === 'invalid_type' && Array.isArray(issue.input) ? 'is given more than once' : issueWords(issue)

/** `commands[3].publish.channel` */
const pathText = (path: readonly PropertyKey[]): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`)).join('')

/** The first thing that is wrong, with the name of the field; `whole` names what the path starts from. */
export const fieldError = (issue: z.core.$ZodIssue, whole: string): FusewireError => {
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path
  return new FusewireError('invalid_field', `${pathText(path) || whole} ${issue.message}`)
}
