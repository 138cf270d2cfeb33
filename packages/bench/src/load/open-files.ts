/** For everything of a process that is not a client. */
const RESERVED = 100

let known: number | undefined

/**
 * How many connections a process can have: the limit of open files (`ulimit -n`) is the same here for the server and for the load. It is
 * read once, before there are any: the report that has it looks up the name of the peer of each, which takes seconds with thousands.
 */
export const mostConnections = (): number => {
  known ??= openFiles() - RESERVED
  return known
}

const openFiles = (): number => {
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly hard: unknown } }
  }
  const limit = userLimits?.open_files?.hard
  return typeof limit === 'number' ? limit : Number.POSITIVE_INFINITY
}

/** Throws with what to do where there cannot be as many connections. */
export const assertOpenFiles = (connections: number, most: number): void => {
  if (connections <= most) return
  throw new Error(
    `${connections} connections need more open files than the system allows (ulimit -n): --clients ${most} takes fewer`,
  )
}
