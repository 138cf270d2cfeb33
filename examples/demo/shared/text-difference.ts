import type { TextOperation } from './text-operation.ts'

/**
 * The operation that turns `before` into `after`, as one replaced stretch. `caret`, where the caret stands in `after`, decides
 * between equal answers: an `l` typed into `hello` is inserted where it was typed.
 */
export const difference = (before: string, after: string, caret: number = after.length): TextOperation => {
  const shorter = Math.min(before.length, after.length)
  // What stands behind the caret was not typed: it is the common end, as far as it is common.
  const untouched = Math.min(shorter, after.length - caret)
  let end = 0
  while (end < untouched && before.at(-1 - end) === after.at(-1 - end)) end += 1
  let start = 0
  while (start < shorter - end && before[start] === after[start]) start += 1
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1

  // Never part a surrogate pair: someone else's edit could come between its halves.
  if (splitsPair(before, start) || splitsPair(after, start)) start -= 1
  if (splitsPair(before, before.length - end) || splitsPair(after, after.length - end)) end -= 1

  const inserted = after.slice(start, after.length - end)
  return [start, inserted, start + end - before.length, end].filter((component) => component !== 0 && component !== '')
}

const splitsPair = (text: string, index: number): boolean => {
  const code = text.charCodeAt(index)
  const previous = text.charCodeAt(index - 1)
  return code >= 0xdc00 && code <= 0xdfff && previous >= 0xd800 && previous <= 0xdbff
}
