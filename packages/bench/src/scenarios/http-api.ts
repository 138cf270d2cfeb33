import { fileURLToPath } from 'node:url'
import type { RunOptions, Sample, Scenario, Trial } from '../frame/scenario.ts'
import { type Candidate, fusewire, type ReachableServer, reach } from '../load/candidates.ts'
import { DIALECTS } from '../load/dialect.ts'
import { Http1Connection } from '../load/http1-connection.ts'
import { Http2Connection } from '../load/http2-connection.ts'
import { rates, startMeter } from '../load/load-meter.ts'
import { rateMeasures } from './rate-measures.ts'

type Version = 'h1' | 'h2'

const REQUESTS_UNDER_WAY = 32
const BATCH = 100
const CHANNEL = 'bench:http'
const DURATION_MS = 3000
const WARM_UP_SHARE = 0.3
const BARE = fileURLToPath(new URL('../servers/bare-http.js', import.meta.url))

interface Requester {
  /** Resolves once the answer is whole. */
  readonly post: () => Promise<void>
  readonly close: () => void
}

interface Request {
  readonly path: string
  readonly body: Buffer
}

/** Connections of their own over HTTP/1.1, streams of one over HTTP/2. */
const openRequesters = async (server: ReachableServer, version: Version, request: Request): Promise<readonly Requester[]> => {
  const count = Array.from({ length: REQUESTS_UNDER_WAY })
  if (version === 'h1')
    return Promise.all(
      count.map(async () => {
        const connection = await Http1Connection.open(server.address)
        const post = async (): Promise<void> => {
          const status = await connection.post(request.path, request.body)
          if (status !== 200) throw new Error(`the request was answered with ${status}`)
        }
        return { post, close: () => connection.destroy() }
      }),
    )
  const connection = await Http2Connection.open(server.address)
  return count.map(() => ({ post: () => postStream(connection, request), close: () => connection.destroy() }))
}

const postStream = (connection: Http2Connection, { path, body }: Request): Promise<void> =>
  new Promise((resolve, reject) => {
    const headers = {
      ':method': 'POST',
      ':scheme': 'http',
      ':path': path,
      ':authority': 'localhost',
      'content-type': 'application/json',
    }
    const onHeaders = (isOk: boolean): void => {
      if (!isOk) reject(new Error('the request was not answered with 200'))
    }
    connection.request(headers, { onHeaders, onEnd: resolve }, body)
  })

const measureApi = async (
  candidate: Candidate,
  version: Version,
  publications: number,
  load: { bytes: number; durationMs: number },
): Promise<Sample> => {
  const server = await reach(candidate)
  try {
    const publication = { channel: CHANNEL, data: 'x'.repeat(load.bytes) }
    const batch = { commands: Array.from({ length: publications }, () => ({ publish: publication })) }
    const [path, body] = publications === 1 ? ['/v1/publish', publication] : ['/v1/batch', batch]
    const requesters = await openRequesters(server, version, { path: path as string, body: Buffer.from(JSON.stringify(body)) })
    let answered = 0
    const postFor = async (durationMs: number): Promise<void> => {
      const begin = performance.now()
      await Promise.all(
        requesters.map(async ({ post }) => {
          for (; performance.now() - begin < durationMs; answered++) await post()
        }),
      )
    }
    await postFor(load.durationMs * WARM_UP_SHARE)
    const before = answered
    const stopMeter = startMeter(server.process)
    await postFor(load.durationMs)
    const metered = stopMeter()
    for (const requester of requesters) requester.close()
    return rates((answered - before) * publications, metered)
  } finally {
    await server.stop()
  }
}

const bareHttp = (version: Version): Candidate => ({
  name: 'bare-http',
  description: "Node's own HTTP server, which parses the body and answers with ready-made bytes",
  dialect: DIALECTS.plain,
  way: { kind: 'websocket' },
  isTls: false,
  server: { arguments: [BARE, ...(version === 'h2' ? ['--http2'] : [])] },
})

const plan = ({ bytes = 100, durationMs = DURATION_MS }: RunOptions): readonly Trial[] =>
  (['h1', 'h2'] as const).flatMap((version) =>
    [1, BATCH].flatMap((publications) =>
      [bareHttp(version), fusewire()].map((candidate) => ({
        case: `${version}, ${publications === 1 ? 'single' : `batches of ${publications}`}`,
        candidate: candidate.name,
        description: candidate.description,
        measure: () => measureApi(candidate, version, publications, { bytes, durationMs }),
      })),
    ),
  )

export const HTTP_API: Scenario = {
  name: 'http-api',
  summary: 'publications a second over the HTTP API, 32 requests under way: HTTP/1.1 and HTTP/2, single and in batches of 100',
  measures: rateMeasures('publications'),
  main: 'perCpuSecond',
  rounds: 5,
  takes: ['bytes'],
  plan,
}
