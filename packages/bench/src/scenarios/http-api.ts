import { fileURLToPath } from 'node:url'
import type { OpenTrial, RunOptions, Scenario, Trial } from '../frame/scenario.ts'
import { type Candidate, fusewire, type ReachableServer } from '../load/candidates.ts'
import { DIALECTS } from '../load/dialect.ts'
import { Http1Connection } from '../load/http1-connection.ts'
import { Http2Connection } from '../load/http2-connection.ts'
import { rates, startMeter } from '../load/load-meter.ts'
import { openLoad } from '../load/on-server.ts'
import { rateMeasures } from './rate-measures.ts'

type Version = 'h1' | 'h2'

const REQUESTS_UNDER_WAY = 32
const BATCH = 100
const CHANNEL = 'bench:http'
const DURATION_MS = 3000
const WINDOWS = 6
/** Until the code of both candidates has been compiled for good. */
const WARM_UP_MS = 2000
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

interface ApiLoad {
  readonly version: Version
  /** Of a request. */
  readonly publications: number
  readonly bytes: number
  readonly durationMs: number
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
    const onEnd = (error?: Error): void => (error ? reject(error) : resolve())
    connection.request(headers, { onHeaders, onEnd }, body)
  })

const openApi = (candidate: Candidate, { version, publications, bytes, durationMs }: ApiLoad): Promise<OpenTrial> =>
  openLoad(candidate, async (server) => {
    const publication = { channel: CHANNEL, data: 'x'.repeat(bytes) }
    const batch = { commands: Array.from({ length: publications }, () => ({ publish: publication })) }
    const [path, body] = publications === 1 ? ['/v1/publish', publication] : ['/v1/batch', batch]
    const requesters = await openRequesters(server, version, { path: path as string, body: Buffer.from(JSON.stringify(body)) })
    /** Resolves with the number of answers. */
    const postFor = async (forMs: number): Promise<number> => {
      const begin = performance.now()
      let answered = 0
      await Promise.all(
        requesters.map(async ({ post }) => {
          for (; performance.now() - begin < forMs; answered++) await post()
        }),
      )
      return answered
    }
    await postFor(WARM_UP_MS)
    return {
      measure: async () => {
        const stopMeter = startMeter(server.process)
        const answered = await postFor(durationMs)
        return rates(answered * publications, stopMeter())
      },
      close: () => {
        for (const requester of requesters) requester.close()
      },
    }
  })

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
        open: () => openApi(candidate, { version, publications, bytes, durationMs: durationMs / WINDOWS }),
      })),
    ),
  )

export const HTTP_API: Scenario = {
  name: 'http-api',
  summary: 'publications a second over the HTTP API, 32 requests under way: HTTP/1.1 and HTTP/2, single and in batches of 100',
  measures: rateMeasures('publications'),
  main: 'perCpuSecond',
  rounds: 5,
  windows: WINDOWS,
  takes: ['bytes'],
  plan,
}
