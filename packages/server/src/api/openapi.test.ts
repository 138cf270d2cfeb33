import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import { parse } from 'yaml'
import type { ClusterApplication } from '../cluster/cluster-application.ts'
import type { Application } from './application.ts'
import { openApiDocument } from './openapi-document.ts'
import { TestApi } from './testing/start-api.ts'

interface Operation {
  readonly operationId: string
  readonly responses: Readonly<Record<string, { readonly description: string }>>
  readonly security?: unknown
}

const operations = (document: object): [string, Operation][] =>
  Object.entries((document as { paths: Record<string, Record<string, Operation>> }).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method.toUpperCase()} ${path}`, operation]),
  )

describe('the OpenAPI document', () => {
  it('is the same in spec/openapi.yaml; run "node --conditions=@fusewire/source scripts/openapi.ts" when it is not', async () => {
    const written = await readFile(new URL('../../../../spec/openapi.yaml', import.meta.url), 'utf8')
    expect(parse(written)).toEqual(JSON.parse(JSON.stringify(await openApiDocument())))
  })

  it('describes every endpoint, each under a name of its own', async () => {
    const found = operations(await openApiDocument())
    expect(found.map(([endpoint]) => endpoint)).toEqual([
      'POST /v1/publish',
      'POST /v1/broadcast',
      'POST /v1/subscribe',
      'POST /v1/unsubscribe',
      'POST /v1/disconnect',
      'POST /v1/refresh',
      'POST /v1/revoke',
      'POST /v1/rpc',
      'POST /v1/batch',
      'GET /v1/channels',
      'GET /v1/channels/{channel}/presence',
      'GET /v1/channels/{channel}/presence/stats',
      'GET /v1/channels/{channel}/history',
      'DELETE /v1/channels/{channel}/history',
      'PUT /v1/channels/{channel}/state',
      'DELETE /v1/channels/{channel}/state',
      'PATCH /v1/channels/{channel}/state',
      'GET /v1/channels/{channel}/state',
      'GET /v1/info',
      'POST /v1/drain',
      'GET /metrics',
      'GET /livez',
      'GET /readyz',
    ])
    expect(new Set(found.map(([, { operationId }]) => operationId)).size).toBe(found.length)
    expect(found.filter(([, { security }]) => security).map(([endpoint]) => endpoint)).toEqual([
      'GET /v1/channels/{channel}/state',
      'GET /livez',
      'GET /readyz',
    ])
  })

  it('has a component for every reference, and none besides', async () => {
    const document = (await openApiDocument()) as { components: { schemas: object } }
    const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name)
    expect([...new Set(names)].sort()).toEqual(Object.keys(document.components.schemas))
  })
})

describe('the served OpenAPI document', () => {
  let test: TestApi
  afterEach(() => test.close())

  it('is the one of the running server', async () => {
    test = await TestApi.start({ metrics: undefined } as never)
    const answer = await test.send('HTTP/2', 'GET', '/v1/openapi.json')
    const written = operations(await openApiDocument()).filter(([endpoint]) => endpoint !== 'GET /metrics')
    expect(operations(answer.json as object)).toEqual(written)
  })
})

it('asks of the nodes only what they have', () => {
  expectTypeOf<ClusterApplication>().toExtend<Application>()
})
