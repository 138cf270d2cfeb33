import type { Log } from '@fusewire/engine'
import type { FusewireOptions } from '../config/options.ts'
import type { Listening } from '../listening.ts'

/** Logs where a server is to be reached, and what nobody may overlook. */
export const logStart = (
  log: Log,
  { urls, certificate }: Listening,
  { development, host }: Pick<FusewireOptions, 'development' | 'host'>,
): void => {
  log('listening', { urls })
  if (development) log('development_mode', { host })
  if (certificate?.development) log('development_certificate', { file: certificate.development.certificateFile })
}
