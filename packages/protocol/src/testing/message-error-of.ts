import { MessageError } from '../decode.ts'

/** The error that this throws; anything else that it throws is thrown on. */
export const messageErrorOf = (run: () => unknown): MessageError => {
  try {
    run()
  } catch (error) {
    if (error instanceof MessageError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
