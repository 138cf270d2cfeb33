const THROWERS = /(onHttp2SocketEnd|onHttp2SessionIdleTimeout) .*node:internal\/deps\/undici/u

/**
 * Node 26's own HTTP/2 client (undici, behind fetch and WebSocket) now and then throws past its caller when a server ends while a
 * connection is open, or when one has been idle for its four seconds while the process was slow. Nothing of ours is on that stack,
 * and the tests hold what the SDK makes of the lost line.
 */
export const isOfNodesOwnClient = (error: { code?: unknown; stack?: string | undefined }): boolean =>
  (error.code === 'UND_ERR_SOCKET' || error.code === 'UND_ERR_INFO') && THROWERS.test(error.stack ?? '')
