import { encodeFrame } from '../../brokers/hub/frame-socket.ts'
import { CONTROL_FD, type ToPrimary } from '../control.ts'

/** The program of a worker that tells its primary one thing, and then does nothing. */
export const tellingWorker = <Name extends keyof ToPrimary>(name: Name, ...values: ToPrimary[Name]): string => {
  const frame = Buffer.from(encodeFrame([name, ...(values as readonly unknown[])])).toString('hex')
  return `require('node:fs').writeSync(${CONTROL_FD}, Buffer.from('${frame}', 'hex')); setInterval(() => {}, 1000)`
}
