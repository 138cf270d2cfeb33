/** The metrics of one process, in the Prometheus exposition format. */
export interface ProcessMetrics {
  /** What the label `worker` says. */
  readonly worker: string
  readonly text: string
}

interface Family {
  readonly head: string[]
  readonly samples: string[]
}

/** The name of a metric in front of its labels, or of its value. */
const SAMPLE_NAME = /^[a-zA-Z_:][\w:]*/u

const labelled = (sample: string, worker: string): string =>
  sample.replace(
    /^([a-zA-Z_:][\w:]*)(\{?)/u,
    (_, name: string, brace: string) => `${name}{worker="${worker}"${brace ? ',' : '}'}`,
  )

/**
 * The metrics of several processes as those of one server: each metric is described once, and its values are told apart by the label
 * `worker`.
 */
export const mergeMetrics = (processes: readonly ProcessMetrics[]): string => {
  const families = new Map<string, Family>()
  const familyOf = (name: string): Family => {
    let family = families.get(name)
    if (!family) {
      family = { head: [], samples: [] }
      families.set(name, family)
    }
    return family
  }
  for (const { worker, text } of processes) {
    let family: Family | undefined
    let isKnown = false
    let named = ''
    for (const line of text.split('\n')) {
      const name = /^# (?:HELP|TYPE) (\S+)/u.exec(line)?.[1]
      if (name !== undefined) {
        // Whoever comes first describes it; the samples of a histogram have other names than it has.
        if (name !== named) isKnown = families.has(name)
        named = name
        family = familyOf(name)
        if (!isKnown) family.head.push(line)
      } else if (family && SAMPLE_NAME.test(line)) family.samples.push(labelled(line, worker))
    }
  }
  return [...families.values()].map(({ head, samples }) => `${[...head, ...samples].join('\n')}\n`).join('\n')
}
