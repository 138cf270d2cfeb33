import { LIMITS } from '../limits.ts'
import { integer, record, string } from '../schema.ts'

/** Number of a request, chosen by the client; the answer echoes it. */
export const id = integer()
export const channel = string(LIMITS.channelLength, 1)
export const token = string(LIMITS.tokenLength, 1)

/** Labels of a publication; in a subscription, the labels that a publication must carry to be delivered. */
export const tags = record(string(LIMITS.tagLength), LIMITS.tags, LIMITS.tagLength)
