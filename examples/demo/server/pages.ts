import { existsSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { HttpHandler } from '@fusewire/server'
import sirv from 'sirv'
import { answerTokenRequest } from './visitor-tokens.ts'

/** Beside the built server: dist/server/pages.js and dist/page. */
const FOLDER = fileURLToPath(new URL('../page', import.meta.url))

/** Vite puts a hash into the names of these, so they never change. */
const HASHED = /^\/assets\//

/**
 * Every HTTP request that is not Fusewire's own comes here, over HTTP/1.1 or HTTP/2. Any handler of Node's kind will do: here
 * sirv for the built page, and one small route beside it.
 */
export const createPages = (): HttpHandler => {
  if (!existsSync(FOLDER)) throw new Error('The page is not built. Run: npm run build')
  const serveFile = sirv(FOLDER, {
    // Looks into the folder at each request: a page that is built anew while this runs is served at once.
    dev: true,
    etag: true,
    setHeaders: (response, path) =>
      response.setHeader('cache-control', HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache'),
  })
  return (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'https://localhost')
    if (pathname === '/demo/token') void answerTokenRequest(request, response)
    else {
      // sirv is written for node:http; what it uses is the same in HTTP/2's compatibility API.
      serveFile(request as IncomingMessage, response as ServerResponse, () => {
        response.statusCode = 404
        response.setHeader('content-type', 'text/plain; charset=utf-8')
        response.end('There is nothing here.\n')
      })
    }
  }
}
