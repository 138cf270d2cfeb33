import type { Journal } from './journal.ts'
import type { Violation } from './judge.ts'
import type { Told } from './told.ts'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** RFC 7396 section 2, word for word, so that it does not share a mistake with the code under test. */
const mergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return patch
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = mergePatch(merged[name], value)
  }
  return merged
}

const sorted = (document: unknown): string =>
  JSON.stringify(isObject(document) ? Object.fromEntries(Object.entries(document).sort()) : document)

/** The document that a subscriber has after what it was told, by [D1] and [D2]. */
const documentOf = (told: readonly Told[]): unknown =>
  told.reduce<unknown>((document, item) => {
    if (item.kind === 'subscribed') return item.recovered ? document : item.document
    return item.patch ? mergePatch(document, item.data) : item.data
  }, undefined)

/** Whether a subscriber of a state channel, to which only patches are published, has the document that they make. */
export const judgeDocument = (told: readonly Told[], journal: Journal): Violation[] => {
  const epoch = told.findLast((item) => item.kind === 'subscribed')?.position.epoch
  const last = told.at(-1)
  if (epoch === undefined || !last) return []
  const offset = last.kind === 'publication' ? last.offset : last.position.offset
  const patches = journal.between(epoch, 0, offset)
  // The answer to one that was missed is still under way.
  if (patches.includes(undefined)) return []
  const due = patches.reduce<unknown>((document, patch = '') => mergePatch(document, JSON.parse(patch)), undefined)
  const [has, shouldHave] = [sorted(documentOf(told)), sorted(due)]
  return has === shouldHave
    ? []
    : [{ kind: 'forged', count: 1, message: `the document at ${offset} is ${has}, not ${shouldHave}` }]
}
