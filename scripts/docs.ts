/** `npm run docs`: writes everything that is made from the sources. Tests fail when any of it is out of date. */
import { writeConfigDocs } from './config-docs.ts'
import { writeHooksDocs } from './hooks-docs.ts'
import { writeObservabilityDocs } from './observability-docs.ts'
import { writeProtocolDocs } from './protocol-docs.ts'
import { writeSessionDocs } from './session-docs.ts'

writeProtocolDocs()
writeSessionDocs()
writeConfigDocs()
writeHooksDocs()
writeObservabilityDocs()
await import('./openapi.ts')
