import type { Readable } from 'node:stream'

/** Reads a stream up to a mark, or to its end without one, and gives what came behind the mark to whoever reads on. */
export const readUntil = (stream: Readable, mark: string | undefined): Promise<{ text: string; rest: Buffer }> =>
  new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0)
    const settle = (): void => {
      stream.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError)
    }
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk])
      const at = mark === undefined ? -1 : bytes.indexOf(mark)
      if (mark === undefined || at < 0) return
      settle()
      stream.pause()
      resolve({ text: bytes.subarray(0, at).toString(), rest: bytes.subarray(at + mark.length) })
    }
    const onEnd = (): void => {
      settle()
      if (mark === undefined) resolve({ text: bytes.toString(), rest: Buffer.alloc(0) })
      else reject(new Error(`the stream has ended without ${JSON.stringify(mark)} after ${JSON.stringify(bytes.toString())}`))
    }
    const onError = (error: Error): void => {
      settle()
      reject(error)
    }
    stream.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError)
    stream.resume()
  })
