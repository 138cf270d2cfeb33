import { BUS_FUNCTIONS } from './bus-functions.ts'
import { CHANNEL_FUNCTIONS } from './channel-functions.ts'
import { CHANNEL_META_FUNCTIONS } from './channel-meta-functions.ts'
import { LIFE_FUNCTIONS } from './life-functions.ts'
import { PRESENCE_FUNCTIONS } from './presence-functions.ts'
import { PUBLISH_FUNCTIONS } from './publish-functions.ts'
import type { LibraryPart } from './redis-library.ts'
import { REVOCATION_FUNCTIONS } from './revocation-functions.ts'
import { SESSION_FUNCTIONS } from './session-functions.ts'

/** Everything that Redis does for us. */
export const LIBRARY_PARTS: readonly LibraryPart[] = [
  LIFE_FUNCTIONS,
  CHANNEL_META_FUNCTIONS,
  PUBLISH_FUNCTIONS,
  CHANNEL_FUNCTIONS,
  SESSION_FUNCTIONS,
  PRESENCE_FUNCTIONS,
  REVOCATION_FUNCTIONS,
  BUS_FUNCTIONS,
]
