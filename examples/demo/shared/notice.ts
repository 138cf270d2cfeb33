import { fieldsOf, isText } from './fields.ts'

export const MAX_NOTICE_LENGTH = 200

export const LEVELS = ['info', 'success', 'warning', 'alert'] as const

export type Level = (typeof LEVELS)[number]

export interface Notice {
  readonly level: Level
  readonly text: string
  /** The name of who sent it; absent when a program did. */
  readonly from?: string
}

export interface NotifyRequest {
  readonly to: 'me' | 'everyone'
  readonly level: Level
  readonly text: string
}

const isLevel = (value: unknown): value is Level => LEVELS.some((level) => level === value)

/** Reads a notice generously, because any program on this machine may send one: a level that is unknown counts as `info`. */
export const readNotice = (value: unknown): Notice | undefined => {
  const { level, text, from } = fieldsOf(value)
  if (!isText(text, MAX_NOTICE_LENGTH)) return undefined
  return { level: isLevel(level) ? level : 'info', text, ...(isText(from, 64) ? { from } : {}) }
}

export const isNotifyRequest = (value: unknown): value is NotifyRequest => {
  const { to, level, text } = fieldsOf(value)
  return (to === 'me' || to === 'everyone') && isLevel(level) && isText(text, MAX_NOTICE_LENGTH)
}
