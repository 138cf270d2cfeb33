import './outage-story.css'
import { useComputed, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { auditCounts } from './audit.ts'
import type { Outage, OutageCause } from './outage.ts'
import { newestOutage } from './outage-store.ts'
import { transportName } from './transport-names.ts'

const CAUSE_NAMES: Record<OutageCause, string> = { cut: 'Cut', moved: 'Moved', lost: 'Lost' }

/** A shorter wait is none. */
const NOTICED_MS = 100

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`

/** What the newest outage went through, step by step, in one line. */
export const OutageStory = () => {
  const outage = newestOutage.value
  return (
    <div class="story" role="status" aria-label="What the last cut went through">
      {outage ? (
        <Steps key={outage.cutAt} outage={outage} />
      ) : (
        <p class="soft">The line has held so far. Cut it, and watch what was missed come back.</p>
      )}
    </div>
  )
}

const Steps = ({ outage: { cause, cutAt, steps, back, recovered, incomplete } }: { outage: Outage }) => {
  // What the audit has found from the cut on; the keyed parent makes this anew for each outage.
  const atCut = useSignal(auditCounts.peek())
  const gaps = useComputed(() => auditCounts.value.gaps - atCut.value.gaps)
  const duplicates = useComputed(() => auditCounts.value.duplicates - atCut.value.duplicates)
  // Each wait ends in one attempt, which may try several transports in turn.
  const attempts = steps.filter(({ kind }) => kind === 'waiting').length
  const newest = steps.at(-1)
  return (
    <ol>
      <li class="story-cut">{CAUSE_NAMES[cause]}</li>
      {!back && newest?.kind === 'waiting' && (
        <li>
          waiting, attempt {attempts} in <Countdown until={newest.retryAt} />
        </li>
      )}
      {!back && newest?.kind === 'connecting' && <li>connecting</li>}
      {back && (
        <>
          {back.at - cutAt >= NOTICED_MS && (
            <li>
              waited <span class="number">{seconds(back.at - cutAt)}</span>
              {attempts > 1 ? `, ${attempts} attempts` : ''}
            </li>
          )}
          <li>
            {back.resumed ? 'resumed' : 'a new session'} by {transportName(back.transport)}
          </li>
          <li class="story-recovered">
            <span class="number">{recovered}</span> publications recovered
          </li>
          <li>
            {incomplete.length === 0 ? (
              <>
                <span class="number">{gaps}</span> lost, <span class="number">{duplicates}</span> doubled
              </>
            ) : (
              <span title={incomplete.join(', ')}>
                {incomplete.length} {incomplete.length === 1 ? 'channel' : 'channels'} loaded anew: their past is gone
              </span>
            )}
          </li>
        </>
      )}
    </ol>
  )
}

const Countdown = ({ until }: { until: number }) => {
  const left = useSignal(until - Date.now())
  useEffect(() => {
    const timer = setInterval(() => {
      left.value = until - Date.now()
    }, 100)
    return () => clearInterval(timer)
  }, [until, left])
  // Not read out ten times a second.
  return (
    <span class="number" aria-hidden="true">
      {seconds(Math.max(0, left.value))}
    </span>
  )
}
