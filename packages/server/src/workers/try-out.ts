import { composeCore } from '../compose-core.ts'
import type { FusewireOptions } from '../config/options.ts'
import { SecurityLog } from '../log/security-log.ts'

/**
 * Makes once what each worker makes for itself, reaches its broker, and lets go of it again: what is wrong is told by one process, and
 * not by each worker in turn.
 * @throws ConfigurationError as the start of a server of one process does.
 */
export const tryOut = async (options: FusewireOptions): Promise<void> => {
  // What is no error, the workers tell.
  const security = new SecurityLog(() => {}, options.securityLogLinesPerMinute)
  const { backend, application } = composeCore(options, security)
  try {
    await backend.open?.()
  } finally {
    try {
      await backend.close?.()
    } finally {
      await application.close(0)
    }
  }
}
