import { fieldsOf, isText } from './fields.ts'

/** Where an editor's caret stands in the text of a version. */
export interface Caret {
  readonly author: string
  readonly version: number
  readonly index: number
}

/** Accepts what anyone may have published. */
export const isCaret = (value: unknown): value is Caret => {
  const { author, version, index } = fieldsOf(value)
  return isText(author, 64) && Number.isSafeInteger(version) && Number.isSafeInteger(index) && Number(index) >= 0
}
