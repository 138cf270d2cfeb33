import './line-panel.css'
import { useSignal } from '@preact/signals'
import { AuditCounters } from './audit-counters.tsx'
import { CutButton } from './cut-button.tsx'
import { LineStatus } from './line-status.tsx'
import { OutageStory } from './outage-story.tsx'
import { TransportSwitch } from './transport-switch.tsx'
import { WireStrip } from './wire-strip.tsx'

/** The page's one connection, as an instrument: what it is, what came over it, and the means to disturb it. */
export const LinePanel = () => {
  const open = useSignal(false)
  return (
    <section class={open.value ? 'line-panel open' : 'line-panel'} aria-label="The line to the server">
      <LineStatus />
      <button
        type="button"
        class="line-more engraved"
        aria-expanded={open.value}
        aria-controls="line-controls"
        onClick={() => (open.value = !open.value)}
      >
        {open.value ? 'Less' : 'The line'}
      </button>
      <WireStrip />
      <div class="line-controls" id="line-controls">
        <TransportSwitch />
        <CutButton />
      </div>
      <OutageStory />
      <AuditCounters />
    </section>
  )
}
