import type { ExternalServer } from '../frame/scenario.ts'
import type { Candidate } from '../load/candidates.ts'
import { DIALECTS, type Dialect } from '../load/dialect.ts'

/** With the path that the command line names, if it does. */
export const externalDialect = ({ path, dialect }: ExternalServer): Dialect => ({
  ...DIALECTS[dialect],
  ...(path !== undefined && { path }),
})

/** The server that the command line names, whose CPU time nobody here can read. */
export const externalCandidate = (external: ExternalServer): Candidate => ({
  name: 'external',
  description: `a server at ${external.address.host}:${external.address.port} that speaks ${external.dialect}`,
  dialect: externalDialect(external),
  way: { kind: 'websocket' },
  isTls: external.address.isTls,
  server: { at: external.address },
})
