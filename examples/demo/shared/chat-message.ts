import { fieldsOf, isText } from './fields.ts'

export const MAX_CHAT_LENGTH = 1000

export interface ChatMessage {
  readonly text: string
  /** Chosen by the sender, to find its own message again when it comes back. */
  readonly id: string
}

/** Accepts what anyone may have published. */
export const isChatMessage = (value: unknown): value is ChatMessage => {
  const { text, id } = fieldsOf(value)
  return isText(text, MAX_CHAT_LENGTH) && isText(id, 64)
}
