import { createApi } from './create-api.ts'

const unused = (): never => {
  throw new Error('nothing is called when the document is written')
}

/** The OpenAPI document of the whole API, without a server behind it. */
export const openApiDocument = async (): Promise<object> => {
  const { document, close } = await createApi({
    application: {
      publish: unused,
      history: unused,
      clearHistory: unused,
      state: unused,
      stateFor: unused,
      removeState: unused,
      assertKeepsState: unused,
      presence: unused,
      presenceCount: unused,
      channels: unused,
      subscribeUser: unused,
      unsubscribeUser: unused,
      disconnectUser: unused,
      refreshUser: unused,
      moveUser: unused,
      revoke: unused,
      rpc: unused,
    },
    drain: unused,
    keys: { none: true, includes: unused },
    openToLoopback: false,
    isOriginAllowed: unused,
    clientAddress: unused,
    admitReader: unused,
    limits: { maxMessageBytes: 65_536, maxDepth: 32 },
    info: unused,
    readiness: unused,
    metrics: { contentType: 'text/plain', read: unused },
    log: unused,
  })
  await close()
  return document
}
