import { fieldsOf, isText } from './fields.ts'

export const MAX_NAME_LENGTH = 32

/** What a visitor's token says about them; others see it in presence and beside what they send. */
export interface Visitor {
  readonly name: string
}

export const visitorName = (info: unknown): string | undefined => {
  const { name } = fieldsOf(info)
  return isText(name, MAX_NAME_LENGTH) ? name : undefined
}
