import type { Position } from '@fusewire/protocol'
import { InvalidArgumentError } from 'commander'

/** Reads `epoch:offset`. */
export const readPosition = (text: string): Position => {
  const [, epoch, offset] = /^(.+):(\d+)$/u.exec(text) ?? []
  if (epoch === undefined || !Number.isSafeInteger(Number(offset))) throw new InvalidArgumentError('Write epoch:offset.')
  return { epoch, offset: Number(offset) }
}

export const writePosition = ({ epoch, offset }: Position): string => `${epoch}:${offset}`
