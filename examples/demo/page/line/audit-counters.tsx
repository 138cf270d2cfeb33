import './audit-counters.css'
import { computed } from '@preact/signals'
import { auditCounts } from './audit.ts'
import { outages } from './outage-store.ts'

const recovered = computed(() => outages.value.reduce((sum, outage) => sum + outage.recovered, 0))

/** What the page has counted by itself, from the offsets of all that its rooms were given. */
export const AuditCounters = () => {
  const { received, gaps, duplicates } = auditCounts.value
  return (
    <dl class="counters">
      <Counter name="Received" value={received} />
      <Counter name="Recovered" value={recovered.value} />
      <Counter name="Gaps" value={gaps} alarming />
      <Counter name="Duplicates" value={duplicates} alarming />
    </dl>
  )
}

const Counter = ({ name, value, alarming = false }: { name: string; value: number; alarming?: boolean }) => (
  <div class={alarming && value > 0 ? 'counter alarm' : 'counter'}>
    <dt class="engraved">{name}</dt>
    <dd class="number">{value}</dd>
  </div>
)
