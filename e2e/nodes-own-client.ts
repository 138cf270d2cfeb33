/**
 * Node 26's own HTTP/2 client (undici, behind fetch and WebSocket) now and then throws past its caller when a server ends while a
 * connection is open. Nothing of ours is on that stack, and the tests hold what the SDK makes of the lost line.
 */
export const isOfNodesOwnClient = (error: { code?: unknown; stack?: string | undefined }): boolean =>
  error.code === 'UND_ERR_SOCKET' && /onHttp2SocketEnd .*node:internal\/deps\/undici/u.test(error.stack ?? '')
