import './device.css'
import { RoomHead } from '../room-head.tsx'
import { CoreBars } from './core-bars.tsx'
import { newestReading } from './device-store.ts'
import { Gauge } from './gauge.tsx'
import { LoadChart } from './load-chart.tsx'
import { formatGib, formatMib, formatShare, formatUptime } from './units.ts'

/** A late event loop is felt from about here. */
const FULL_LAG_MS = 50

export const DeviceRoom = () => {
  const reading = newestReading.value
  return (
    <section class="room device" aria-labelledby="room-title">
      <RoomHead title="Device" about="The machine that runs this server, read once a second. Nothing here is simulated." />
      {reading ? (
        <div class="device-panel">
          <div class="gauges">
            <Gauge
              name="Processor"
              share={reading.cpu}
              value={formatShare(reading.cpu)}
              unit="%"
              note={`${reading.cores.length} cores`}
            />
            <Gauge
              name="Memory"
              share={reading.memoryUsedBytes / reading.memoryTotalBytes}
              value={formatGib(reading.memoryUsedBytes)}
              unit="GiB"
              note={`of ${formatGib(reading.memoryTotalBytes)}`}
            />
            <Gauge
              name="Event-loop lag"
              share={reading.lagMs / FULL_LAG_MS}
              value={reading.lagMs.toFixed(1)}
              unit="ms"
              note="99th percentile"
            />
          </div>
          <CoreBars cores={reading.cores} />
          <div class="load-history">
            <p class="engraved load-legend">
              <span class="legend-cpu">Processor</span>
              <span class="legend-memory">Memory</span>
            </p>
            <div class="load-plot">
              <LoadChart />
            </div>
          </div>
          <dl class="device-facts">
            <Fact name="Processor" value={reading.model} />
            <Fact name="System" value={reading.platform} />
            {reading.loadAverage.length > 0 && (
              <Fact name="Load average" value={reading.loadAverage.map((load) => load.toFixed(2)).join('  ')} />
            )}
            <Fact name="Server process" value={`${formatMib(reading.processBytes)} MiB`} />
            <Fact name="Up for" value={formatUptime(reading.uptimeSeconds)} />
          </dl>
        </div>
      ) : (
        <p class="room-empty soft">Waiting for the first reading.</p>
      )}
    </section>
  )
}

const Fact = ({ name, value }: { name: string; value: string }) => (
  <div>
    <dt class="engraved">{name}</dt>
    <dd class="number">{value}</dd>
  </div>
)
