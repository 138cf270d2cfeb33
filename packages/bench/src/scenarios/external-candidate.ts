import type { ExternalServer } from '../frame/scenario.ts'
import type { Candidate } from '../load/candidates.ts'
import { DIALECTS } from '../load/dialect.ts'

/** The server that the command line names, whose CPU time nobody here can read. */
export const externalCandidate = ({ address, path, dialect }: ExternalServer): Candidate => ({
  name: 'external',
  description: `a server at ${address.host}:${address.port} that speaks ${dialect}`,
  dialect: { ...DIALECTS[dialect], ...(path !== undefined && { path }) },
  way: { kind: 'websocket' },
  isTls: address.isTls,
  server: { at: address },
})
