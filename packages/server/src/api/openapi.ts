import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { documented } from './schemas/documented.ts'

type Components = Record<string, unknown>

interface Document {
  readonly paths?: object
  readonly components?: { readonly schemas?: Components }
}

/** Answers may get more fields without notice; what is sent may not, so that a misspelt field does not pass unseen. */
const openEnded = (name: string, schema: unknown): unknown =>
  name.endsWith('Input')
    ? schema
    : JSON.parse(JSON.stringify(schema), (key, value) => (key === 'additionalProperties' && value === false ? undefined : value))

/** Components that the paths refer to, over others or not. Each registered schema is offered twice, for input and output. */
const usedComponents = (paths: object, all: Components): Components => {
  const used = new Map<string, unknown>()
  const visit = (schema: unknown) => {
    for (const [, name] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (name === undefined || used.has(name)) continue
      used.set(name, openEnded(name, all[name]))
      visit(all[name])
    }
  }
  visit(paths)
  return Object.fromEntries([...used].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Every answer needs a description; where the schema has none, the plugin's own says nothing. */
const describeAnswers = (paths: object): object =>
  JSON.parse(JSON.stringify(paths), (key, value) =>
    value?.description === 'Default Response' ? { ...value, description: key === 'default' ? 'Refused.' : 'Done.' } : value,
  )

const transformObject = createJsonSchemaTransformObject({ schemaRegistry: documented })

/** How the OpenAPI document is made from the routes and their schemas. */
export const openApiOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Fusewire HTTP API',
      description: 'What backends ask of a Fusewire server, on the same port as everything else, over HTTP/1.1 and HTTP/2.',
      version: '1.0.0',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'Publications', description: 'Publish to channels.' },
      { name: 'Sessions', description: 'Act on what users are connected with.' },
      { name: 'Channels', description: 'Read who is there and what was published.' },
      { name: 'State', description: 'Documents of the channels that keep one.' },
      { name: 'Procedures', description: 'Call handlers, and several commands at once.' },
      { name: 'Node', description: 'The server process itself.' },
    ],
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key.' },
        header: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key.' },
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: "A client's own token." },
      },
    },
    security: [{ bearer: [] }, { header: [] }],
  },
  transform: createJsonSchemaTransform({ schemaRegistry: documented }),
  transformObject: (input) => {
    const document = transformObject(input) as Document
    const paths = document.paths ?? {}
    return {
      ...document,
      paths: describeAnswers(paths),
      components: { ...document.components, schemas: usedComponents(paths, document.components?.schemas ?? {}) },
    } as ReturnType<typeof transformObject>
  },
}
