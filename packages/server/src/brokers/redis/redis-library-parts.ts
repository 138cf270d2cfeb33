import { BUS_FUNCTIONS } from './bus-functions.ts'
import { CHANNEL_PART, LIFE_PART, META_PART, PUBLISH_PART } from './channel-library.ts'
import { PRESENCE_FUNCTIONS } from './presence-functions.ts'
import type { LibraryPart } from './redis-library.ts'
import { REVOCATION_FUNCTIONS } from './revocation-functions.ts'
import { SESSION_FUNCTIONS } from './session-functions.ts'

/** Everything that Redis does for us. */
export const LIBRARY_PARTS: readonly LibraryPart[] = [
  LIFE_PART,
  META_PART,
  PUBLISH_PART,
  CHANNEL_PART,
  SESSION_FUNCTIONS,
  PRESENCE_FUNCTIONS,
  REVOCATION_FUNCTIONS,
  BUS_FUNCTIONS,
]
